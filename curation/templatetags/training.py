"""Words of a training's recipe."""

from typing import Any

from django import template

register = template.Library()


@register.filter
def changes(recipe: dict[str, Any]) -> str:
    """What an order changed against its preset: "epochs 2.5, seed 7"."""
    said = {name: value for name, value in recipe.items() if (name, value) != ("max_steps", 0)}
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in said.items())
