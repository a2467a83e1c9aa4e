"""Passages that address whoever reads them as a program instead of stating something about numbers. Pure.

Such a passage is no source: its sentences decide no verdict, are not quoted and are not shown to the model. The rules
look for the forms of such texts (orders to ignore rules or to answer in a certain way, roles and control tokens of
chat templates, markup that hides text or calls out, encoded text) in English and a few other languages. They are a
filter and no proof: what a document states in the form of a statement counts as what that document says.
"""

from __future__ import annotations

import re

_INSTRUCTION = re.compile(
    r"""
    \b(?:ignore|disregard|forget|override|bypass)\b.{0,40}\b(?:instruction|rule|previous|prior|above|earlier|evidence|
    passage|document|verdict|everything|polic|source|safety)\w*
    |\b(?:system|developer|assistant|user)\s*(?:prompt|message|:|>|\])|<\s*/?\s*(?:system|instruction|tool|assistant)
    |\byou\s+(?:are|must|should|will|have\s+to|shall)\s+(?:now\s+)?(?:mark|answer|say|reply|respond|return|treat|report|
    classify|label|confirm|call|set|output|accept|approve|an?\s+(?:ai|assistant|validator|model|language))\b
    |\b(?:mark|label|classify|rate|flag|treat|report|count|return|output|answer|set)\b.{0,50}\b(?:as\s+)?(?:supported|
    contradicted|not[_ ]covered|verdict|confidence|validated|confirmed\s+claim|verified)\b
    |\bverdict\s*(?:=|:|is|must|shall|should)|\bconfidence\s*[=:]|\bclaim_verdict\w*|\bCLAIM_VERDICT
    |\b(?:validator|claim\s+checker|fact[- ]checker|language\s+model|this\s+model|the\s+ai|chatbot|prompt)\b
    |\b(?:call|invoke|run|execute|use)\s+(?:the\s+)?(?:tool|function|command|delete_document|ingest_document|shell)\b
    |\b(?:new|updated|following|these|my)\s+(?:instructions|orders)\b|\bdo\s+not\s+(?:check|verify|search|calculate)\b
    |\b(?:jailbreak|do\s+anything\s+now|admin(?:istrator)?\s+(?:mode|override))\b
    |\{\s*"(?:verdict|tool|name|confidence)"
    """,
    re.IGNORECASE | re.VERBOSE,
)
_FOREIGN = re.compile(
    r"""
    \b(?:ignorier\w*|vergiss|missachte\w*)\b.{0,40}\b(?:anweisung|regel|vorherig|bisherig|alles|quelle)\w*
    |\b(?:antworte|bestätige|markiere|melde)\b.{0,60}\b(?:dass|als|mit)\b
    |\b(?:ignore[zr]?|oublie[zr]?)\b.{0,40}\b(?:instructions?|consignes?|règles?|précédent\w*|tout)\b
    |\b(?:réponds|répondez|confirme[zr]?|marque[zr]?)\b.{0,60}\b(?:que|comme)\b
    |\b(?:ignora|olvida|ignore)\b.{0,40}\b(?:instrucciones|reglas|anteriores?|todo)\b
    |\b(?:responde|contesta|confirma|marca)\b.{0,60}\b(?:que|como)\b
    |\b(?:ignora|dimentica)\b.{0,40}\b(?:istruzioni|regole|precedenti|tutto)\b|\brispondi\b.{0,60}\b(?:che|come)\b
    |\b(?:ignoră|uită|ignorați|uitați)\b.{0,40}\b(?:instrucțiuni\w*|reguli\w*|anterioare|tot)\b
    |\b(?:răspunde|confirmă|marchează)\b.{0,60}\b(?:că|ca|drept)\b
    |\b(?:игнорируй\w*|забудь\w*)\b|\b(?:ответь\w*|подтверди\w*)\b.{0,60}\bчто\b
    |忽略.{0,20}(?:指令|指示|规则)|(?:回答|确认).{0,20}(?:是|为)
    """,
    re.IGNORECASE | re.VERBOSE,
)
_MARKUP = re.compile(
    r"""
    <\|[^|>]{1,40}\|>|\[/?INST\]|<</?SYS>>|</?s>|\#\#\#\s*(?:instruction|system|response|assistant)\b
    |<!--|<\s*(?:script|iframe|img|style|object|embed|svg|form|meta|link)\b|\bdisplay\s*:\s*none|\bfont-size\s*:\s*0
    |!\[[^\]]{0,200}\]\(|\]\(\s*(?:https?:|javascript:|data:|//)|\b(?:javascript|data):[\w/]
    |[\u200b-\u200f\u202a-\u202e\u2060-\u2064\U000e0000-\U000e007f]
    |(?<![\w/+])[A-Za-z0-9+/]{40,}={0,2}(?![\w/+])
    |\b(?:base64|rot13|decode\s+(?:this|the|and)|atob)\b
    """,
    re.IGNORECASE | re.VERBOSE,
)
_FORGED = re.compile(
    r"(?:^|\n)\s*(?:\[\d{1,2}\]\s+\S[^\n]{0,120}:|passages?\s*:|question\s*:|answer\s*:|sources?\s*\[\d)", re.IGNORECASE
)
"""Lines in the form in which passages and questions are put before the model."""
_CONTROL = re.compile(r"<\|[^|>]{0,40}\|>|\[/?INST\]|<</?SYS>>|</?s>", re.IGNORECASE)
_MARKER = re.compile(r"\[\d{1,3}\]")


def instructs(text: str) -> bool:
    """Tells whether a text addresses whoever reads it as a program instead of stating something about numbers."""
    plain = " ".join(text.split())
    return bool(_INSTRUCTION.search(plain) or _FOREIGN.search(plain) or _MARKUP.search(text) or _FORGED.search(text))


def defused(text: str) -> str:
    """Returns a text for the model: on one line, without control tokens of chat templates and without markers."""
    return " ".join(_MARKER.sub(" ", _CONTROL.sub(" ", text)).split())
