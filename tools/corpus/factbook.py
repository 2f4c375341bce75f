"""Read the World Factbook: the values and the prose about each country."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

_CONTINENTS = {
    "africa": "Africa",
    "australia-oceania": "Oceania",
    "central-america-n-caribbean": "Central America and the Caribbean",
    "central-asia": "Asia",
    "east-n-southeast-asia": "Asia",
    "europe": "Europe",
    "middle-east": "the Middle East",
    "north-america": "North America",
    "south-america": "South America",
    "south-asia": "Asia",
}
# Short names that the Factbook omits, truncates, or writes without an article.
_NAMES = {
    "ae": "the United Arab Emirates",
    "bf": "the Bahamas",
    "cc": "Curacao",
    "cf": "the Republic of the Congo",
    "cg": "the Democratic Republic of the Congo",
    "ct": "the Central African Republic",
    "cn": "the Comoros",
    "dr": "the Dominican Republic",
    "ez": "the Czech Republic",
    "fm": "Micronesia",
    "ga": "the Gambia",
    "im": "the Isle of Man",
    "mv": "the Maldives",
    "nl": "the Netherlands",
    "rp": "the Philippines",
    "sf": "South Africa",
    "sv": "Svalbard",
    "uk": "the United Kingdom",
    "us": "the United States",
    "vt": "Vatican City",
}
_CURRENCIES = {"en": "euros", "lg": "euros", "lh": "euros"}  # adopted the euro by 2015
_CAPITALS = {"sf": "Pretoria", "bl": "La Paz", "us": "Washington", "is": "", "ax": "", "dx": ""}
_ACRONYMS = {"ASEAN", "UNESCO", "UNICEF", "MERCOSUR", "ECOWAS", "UNHCR", "UNCLOS", "CARICOM"}
_PROSE = {  # the path of a field, and the words before its text
    ("Introduction", "Background"): "",
    ("Economy", "Economy - overview"): "The economy of {name}. ",
    ("Geography", "Climate"): "The climate of {name}: ",
    ("Geography", "Terrain"): "The land of {name}: ",
    ("Geography", "Geography - note"): "A note on {name}: ",
    ("Geography", "Environment - current issues"): "Environment of {name}: ",
    ("Government", "Flag description"): "The flag of {name}: ",
    ("Transnational Issues", "Disputes - international"): "",
}


@dataclass(frozen=True)
class Country:
    """A country or territory; a value is empty if the Factbook does not state it."""

    name: str  # with its article, as in a sentence
    continent: str
    population: int
    capital: str
    adjective: str
    currency: str
    region: str
    neighbors: tuple[str, ...]
    languages: tuple[str, ...]
    cities: tuple[str, ...]
    highest: str
    crops: tuple[str, ...]
    resources: tuple[str, ...]
    exports: tuple[str, ...]
    government: str
    independence: str
    holiday: str
    colors: str
    coast: bool
    prose: tuple[str, ...]


def countries(package: Path) -> list[Country]:
    """Return all inhabited countries and territories. Neighbors always list each other."""
    found = list(_entries(package))
    return [replace(country, neighbors=_mutual(country, found)) for country in found]


def _mutual(country: Country, others: list[Country]) -> tuple[str, ...]:
    """Return the neighbors that a country lists, and the countries that list it as a neighbor."""
    name = country.name.removeprefix("the ")
    naming = [other.name.removeprefix("the ") for other in others if name in other.neighbors]
    return tuple(sorted({*country.neighbors, *naming}))


def _entries(package: Path) -> Iterator[Country]:
    for path in sorted((package / "package").glob("*/*.json")):
        entry = json.loads(path.read_text("utf-8"))
        if path.parent.name in _CONTINENTS and isinstance(entry, dict):
            country = _country(path.stem, _CONTINENTS[path.parent.name], entry)
            if country.population and country.name:
                yield country


def _text(entry: Any, *path: str) -> str:
    """Return the text of a field, or "" if it is missing, empty or damaged at any level.

    For France, many fields have separate texts for its parts. The text about the European part is
    used.
    """
    for key in path:
        entry = entry.get(key) if isinstance(entry, dict) else None
    if isinstance(entry, dict):
        entry = entry.get("metropolitan France", entry)
    text = entry.get("text") if isinstance(entry, dict) else None
    if not isinstance(text, str) or "\ufffd" in text or text.strip() in ("NA", "none", "None"):
        return ""
    return " ".join(text.replace("++", " ").split())


def _country(code: str, continent: str, entry: Any) -> Country:
    name = _name(code, _text(entry, "Government", "Country name", "conventional short form"))
    population = re.match(r"[\d,]+", _text(entry, "People and Society", "Population"))
    return Country(
        name=name,
        continent=continent,
        population=int(population[0].replace(",", "")) if population else 0,
        capital=_CAPITALS.get(code, _first(_text(entry, "Government", "Capital", "name"))),
        adjective=_first(_text(entry, "People and Society", "Nationality", "adjective")),
        currency=_CURRENCIES.get(code) or _currency(_text(entry, "Economy", "Exchange rates")),
        region=_text(entry, "Geography", "Location").partition(";")[0],
        neighbors=_bordering(_text(entry, "Geography", "Land boundaries", "border countries")),
        languages=_official(_text(entry, "People and Society", "Languages")),
        cities=_cities(_text(entry, "People and Society", "Major urban areas - population")),
        highest=_highest(_text(entry, "Geography", "Elevation extremes", "highest point")),
        crops=_items(_text(entry, "Economy", "Agriculture - products")),
        resources=_items(_text(entry, "Geography", "Natural resources")),
        exports=_items(_text(entry, "Economy", "Exports - commodities")),
        government=_first(_text(entry, "Government", "Government type")),
        independence=_date(_text(entry, "Government", "Independence")),
        holiday=_text(entry, "Government", "National holiday").partition(";")[0],
        colors=_colors(_text(entry, "Government", "National symbol(s)")),
        coast=not _text(entry, "Geography", "Coastline").startswith("0 km"),
        prose=tuple(_prose(name, entry)),
    )


def _name(code: str, short_form: str) -> str:
    name = _NAMES.get(code, short_form.partition("(")[0].partition(";")[0].strip())
    plural = re.search(r"Islands$", name)
    return f"the {name}" if plural and not name.startswith("the ") else name


def _first(text: str) -> str:
    """Return the first of several values, without notes and brackets."""
    text = re.split(r";|\(|:| or |,| - note| in ", text)[0].strip()
    return "" if text.lower() in ("none", "na") else text


def _currency(text: str) -> str:
    if text.startswith("the US dollar"):
        return "US dollar"
    match = re.match(r"([^()]+?)\s*(\([A-Z/]+\))?\s+per US dollar", text)
    name = match[1] if match else ""
    name = name.replace("Communaute Financiere Africaine", "West African CFA")
    name = name.replace("Cooperation Financiere en Afrique Centrale", "Central African CFA")
    return re.split(r"/| or ", name)[0]


def _date(text: str) -> str:
    match = re.match(r"\d+ [A-Z][a-z]+ \d{4}", text)
    return match[0] if match else ""


def _bordering(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"([A-Z][A-Za-z' -]+?)\s+[\d.,]+ km", text))


def _official(text: str) -> tuple[str, ...]:
    """Return the official languages, or the first language if none is marked as official."""
    named = re.findall(r"([A-Z][A-Za-z -]+?)\s*(?:[\d.]+%)?\s*\(official", text)
    if named:
        return tuple(language.strip() for language in named)
    first = re.match(r"[A-Z][A-Za-z]+", text)
    return (first[0],) if first else ()


def _cities(text: str) -> tuple[str, ...]:
    found = re.findall(r"([A-Z][A-Za-z' .-]+?)\s*(?:\([^)]*\))?\s+[\d.,]+(?: million)?", text)
    return tuple(city.title() if city.isupper() else city for city in found if city != "D.C.")


def _highest(text: str) -> str:
    match = re.match(r"([^\d(]+?)\s*(?:\([^)]*\))?\s+([\d,]+) m\b", text)
    if not match or match[1].startswith("unnamed"):
        return ""
    return f"{match[1].strip()}, at {match[2]} meters"


def _items(text: str) -> tuple[str, ...]:
    text = re.sub(r"\([^)]*\)|\d[\d.]*%", "", text).partition("note")[0]
    items = [item.strip() for item in re.split(r"[,;]", text)]
    return tuple(item for item in items if re.fullmatch(r"[a-zA-Z][a-zA-Z' -]+", item))


def _colors(text: str) -> str:
    return text.partition("national colors: ")[2].partition(";")[0]


def _prose(name: str, entry: Any) -> Iterator[str]:
    for path, introduction in _PROSE.items():
        text = _text(entry, *path)
        if len(text) > 30:
            yield _plain_case(introduction.format(name=name) + text)


def _plain_case(text: str) -> str:
    """Return `text` with family names in title case. The Factbook writes them in capitals."""
    return re.sub(
        r"\b[A-Z]{5,}\b", lambda m: m[0] if m[0] in _ACRONYMS else m[0].capitalize(), text
    )
