"""The catalogues of the widget's languages: ``make messages`` finds every text, and writes ``connections/locale`` anew.

A text is marked by ``_("…")`` in ``connections/consent`` and ``config/web/pages.py``, and by ``{% translate %}`` or
``{% blocktranslate %}`` in ``templates/connect`` and ``templates/pages``. Each language has a ``django.po``, in which
translations are written by hand, and the compiled ``django.mo`` beside it, which is committed too: a machine that runs
Latchkey has no compiler of catalogues.
"""

import ast
import re
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[2]
LOCALE = ROOT / "connections" / "locale"
TEMPLATES = sorted(file for folder in ("connect", "pages") for file in (ROOT / "templates" / folder).glob("*.html"))
_STRATEGIES = ROOT / "providers" / "strategies"
_TEXT = re.compile(r"\bgettext\((u?(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"))\)")
_NEVER = datetime(2026, 1, 1, tzinfo=UTC)  # a date of today would change every file each time


def texts() -> dict[str, list[str]]:
    """Return every text that can be translated, with the files that it stands in."""
    found: dict[str, list[str]] = {}
    for file in [*sorted((ROOT / "connections" / "consent").glob("*.py")), ROOT / "config" / "web" / "pages.py"]:
        for text in _marked(ast.parse(file.read_text(encoding="utf-8"))):
            found.setdefault(text, []).append(str(file.relative_to(ROOT)))
    for file in sorted(_STRATEGIES.glob("*.py")):
        for text in _invitations(ast.parse(file.read_text(encoding="utf-8"))):
            found.setdefault(text, []).append(str(file.relative_to(ROOT)))
    for file in TEMPLATES:
        for text in _in_template(file.read_text(encoding="utf-8")):
            found.setdefault(text, []).append(str(file.relative_to(ROOT)))
    return {text: sorted(set(files)) for text, files in sorted(found.items())}


def languages() -> list[str]:
    """Return the languages that have a catalogue, as folders are named: ``pt_BR``."""
    return sorted(folder.name for folder in LOCALE.iterdir() if folder.is_dir())


def catalogue(language: str) -> Catalog:
    """Return what is written for a language."""
    file = _po(language)
    if not file.exists():
        return Catalog(locale=language)
    with file.open("rb") as opened:
        return read_po(opened, locale=language)


def compiled(written: Catalog) -> bytes:
    """Return a catalogue as Django reads it."""
    file = BytesIO()
    write_mo(file, written)
    return file.getvalue()


def renewed(language: str) -> Catalog:
    """Return the catalogue of a language with every text of today, each with its translation if it has one."""
    before = catalogue(language)
    after = Catalog(
        locale=language, project="Latchkey", version="", creation_date=_NEVER, revision_date=_NEVER, fuzzy=False
    )
    after.header_comment = f"# The widget in {language}."
    for text, files in texts().items():
        known = before.get(text)
        after.add(text, known.string if known is not None else "", locations=[(file, 0) for file in files])
    return after


def main() -> None:
    """Write every catalogue anew, and say what has no translation yet."""
    for language in languages():
        written = renewed(language)
        _po(language).parent.mkdir(parents=True, exist_ok=True)
        with _po(language).open("wb") as file:
            write_po(file, written, width=110, include_lineno=False)
        _po(language).with_suffix(".mo").write_bytes(compiled(catalogue(language)))
        missing = [str(message.id) for message in written if message.id and not message.string]
        print(f"{language}: {len(written)} texts, {len(missing)} without a translation")
        print("".join(f"  {text}\n" for text in missing), end="")


def _po(language: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / "django.po"


def _marked(tree: ast.Module) -> list[str]:
    return [
        str(node.args[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_"
        if isinstance(node.args[0], ast.Constant)
    ]


def _invitations(tree: ast.Module) -> list[str]:
    return [
        str(node.value.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        if isinstance(node.targets[0], ast.Name) and node.targets[0].id == "invitation"
    ]


def _in_template(source: str) -> list[str]:
    from django.utils.translation.template import templatize

    return [ast.literal_eval(found) for found in _TEXT.findall(templatize(source))]


if __name__ == "__main__":
    main()
