"""Templates of pages: what they are given is escaped, and a name that they are not given fails."""

from __future__ import annotations

from functools import cache

import jinja2


@cache
def template_of(package: str, name: str) -> jinja2.Template:
    """Compile a template from the folder ``templates`` of a package, once for this process."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(package),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template(name)
