"""Rationales and references that are made to hang or swell a grader."""

import random


def bomb_texts(count: int = 200) -> list[dict]:
    """Rows to score, `count` of them, of 25 kinds in turn."""
    rng = random.Random(1)
    tower = r"\boxed{9^{9^{9^{9}}}}"
    makers = [
        lambda: ("The answer is 9**9**9**9.", r"9^{9^{9^{9}}}"),
        lambda: (tower, "5"),
        lambda: (r"\boxed{" + r"\frac{1}{" * 3_000 + "2" + "}" * 3_000 + "}", r"\frac{1}{2}"),
        lambda: ("{" * 50_000 + "}" * 50_000, "x"),
        lambda: ("(" * 50_000 + "1" + ")" * 50_000 + " = 2", "1"),
        lambda: ("The answer is " + "a" * 100_000 + "!", "(a+)+$"),
        lambda: ("1 + " * 60_000 + "1 = 5. The answer is 5.", "5"),
        lambda: ("= " * 100_000, "5"),
        lambda: ("The answer is " + "9" * 100_000, "9" * 5_000),
        lambda: (r"\boxed{\int_0^{\infty} \frac{x^{N}}{e^x-1} dx}".replace("N", str(rng.randint(50, 90))),
                 r"\pi^{60}"),
        lambda: (f"\\boxed{{(x+y+z)^{{{rng.randint(300, 900)}}}}}", r"(z+y+x)^{301}"),
        lambda: (f"\\boxed{{{rng.randint(10**7, 10**8)}!}}", r"\frac{x}{3}"),
        lambda: (r"\boxed{\sum_{k=1}^{10^{9}} k^{k}}", "x^2"),
        lambda: (" ".join(["so"] * 100_000), "5"),
        lambda: ("\n".join(f"{i}. step {i}" for i in range(100_000)), "5"),
        lambda: ("$" * 100_000, "$5$"),
        lambda: (r"\boxed" * 20_000, "5"),
        lambda: ("answer is " * 20_000, "5"),
        lambda: ("-" * 100_000 + "5", "-5"),
        lambda: ("\\begin{pmatrix}" * 5_000, "5"),
        lambda: ("<think>" * 20_000 + "The answer is 5", "5"),
        lambda: ("The answer is " + "1," * 50_000 + "1", "1,2"),
        lambda: ("The answer is " + "one hundred " * 10_000, "5"),
        lambda: ("\x00\u202e\ud800" * 1_000 + "The answer is 5.", "5"),
        lambda: ("".join(rng.choice("0123456789+-*/^=(){}[]$\\.,% \nxabc<>&#") for _ in range(20_000)), "5"),
    ]  # fmt: skip
    out = []
    for i in range(count):
        rationale, reference = makers[i % len(makers)]()
        out.append({"id": f"bomb{i}", "question": f"bomb {i}", "rationale": rationale,
                    "reference_answer": reference})  # fmt: skip
    return out
