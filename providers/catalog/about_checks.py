"""What must agree in what an entry says about itself: its other names, its facts, and its registration."""

from collections.abc import Iterator

from providers.catalog.schema import CatalogEntry

_LONGEST_LINE = 300  # the longest name of a host is one, with its port


def about_problems(entry: CatalogEntry) -> Iterator[str]:
    """Yield what is wrong with what ``entry`` says about itself: the key, and what to do. No I/O."""
    described = ", ".join(method.section() for method in entry.methods.values())
    sections = {method.section() for method in entry.methods.values()}
    for alias, section in entry.aliases.items():
        if alias == entry.slug:
            yield f"aliases.{alias}: is the entry's own name; remove it"
        if section not in sections:
            yield f"aliases.{alias}: there is no section [{section}]; name the one that is meant: {described}"
    for section in (entry.facts.styles if entry.facts is not None else {}).keys() - sections:
        yield f"facts.styles.{section}: there is no section [{section}]; name one of {described}"
    for key, line in (("name", entry.name), ("category", entry.category)):
        if not line.strip() or line != " ".join(line.split()) or len(line) > _LONGEST_LINE:
            yield f"{key}: is shown as one line; write 1 to {_LONGEST_LINE} characters, without space around them"
    links = {"website": entry.website, "docs_url": entry.docs_url, "registration.console": entry.registration.console}
    for key, link in links.items():
        if link and not link.startswith(("https://", "http://")):
            yield f"{key}: {link[:80]!r} is no link that people can follow; write it whole, from https:// on"
    for key, text in (("notes", entry.notes), ("registration.steps", entry.registration.steps)):
        for position, sentence in enumerate(text):
            if not sentence.strip().endswith((".", "?", "!")):
                yield f"{key}.{position}: is shown to operators as a sentence; end it with a full stop"
