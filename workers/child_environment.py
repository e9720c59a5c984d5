"""What a child process of a worker finds in its environment: no secret that it does not need."""

import os
import re
from collections.abc import Collection, Mapping

# Tokenizers read TOKENIZERS_PARALLELISM, which is no secret.
SECRET_NAME = re.compile(
    r"KEY|TOKEN(?!IZERS)|SECRET|PASSW|PGPASS|PASSPHRASE|CREDENTIAL|BROKER|_URL$|_DSN$",
    re.IGNORECASE,
)
HUB_TOKEN = "HF_TOKEN"  # huggingface_hub sends it to the hub alone


def without_secrets(
    environment: Mapping[str, str] | None = None, keep: Collection[str] = ()
) -> dict[str, str]:
    """The environment (this process's own by default) without what is named like a secret.

    keep  names that stay all the same, such as the hub's token for a model that is fetched there
    """
    source = os.environ if environment is None else environment
    return {
        name: value
        for name, value in source.items()
        if name in keep or not SECRET_NAME.search(name)
    }
