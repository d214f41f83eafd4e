"""Print the declared lowest version of every dependency, one `name==version` a line.

`make test-lowest` installs these: pyproject.toml is the only list. Extras are named as arguments:

    python .ci/lowest_versions.py test
"""

import re
import sys
import tomllib
from pathlib import Path

PYPROJECT = Path(__file__).parent.parent / "pyproject.toml"
REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9._-]+)\s*>=\s*(?P<version>[0-9][0-9.]*)(\s*,.*)?")


def lowest(requirement: str) -> str:
    """`scipy>=1.13` and `scipy>=1.13,<2` become `scipy==1.13`."""
    match = REQUIREMENT.fullmatch(requirement.strip())
    if match is None:
        raise SystemExit(
            f"pyproject.toml: '{requirement}' must state its lowest version: name>=1.2"
        )
    return f"{match['name']}=={match['version']}"


def main(extras: list[str]) -> None:
    """The dependencies of the package and of the extras named."""
    project = tomllib.loads(PYPROJECT.read_text())["project"]
    requirements = list(project["dependencies"])
    for extra in extras:
        requirements += project["optional-dependencies"][extra]
    print("\n".join(lowest(r) for r in requirements))


if __name__ == "__main__":
    main(sys.argv[1:])
