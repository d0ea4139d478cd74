"""The TypeScript that comes of a document; that it compiles shows ``tests/clients/test_typescript.py``."""

from copy import deepcopy

from config.local.clients.reading import read
from config.local.clients.typescript import typescript_module
from tests.config.local.clients.test_reading import DOCUMENT


def test_everything_is_in_it() -> None:
    text = typescript_module(read(DOCUMENT))
    for part in (
        'export type Kind = "a" | "b";',
        "export interface Thing {",
        "  readonly parts?: readonly Thing[];",
        "  readonly next: string | null;",
        'export interface GonePlaceProblem extends AnyProblem {\n  readonly code: "gone_place";',
        "export type Problem =\n  | GonePlaceProblem;",
        "    options: CallOptions & { idempotencyKey?: string } = {},",
        '        secrets: [["items", "*", "key"]],',
        "  iterThings(",
        "    init: ProxyInit & { endUser?: string } = {},",
    ):
        assert part in text, part


def test_a_text_cannot_leave_its_comment() -> None:
    document = deepcopy(DOCUMENT)
    document["paths"]["/things"]["get"]["description"] = "a */ b"
    assert "a *\\/ b" in typescript_module(read(document))
