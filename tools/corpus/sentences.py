"""Make plain sentences, questions and answers from the values of the Factbook."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence

from tools.corpus.factbook import Country

# Each relation has statements that express it, and questions that the first statement answers.
# {name} is the country, {value} is the Factbook's value.
STATEMENTS: dict[str, tuple[str, ...]] = {
    "capital": (
        "The capital of {name} is {value}.",
        "{value} is the capital of {name}.",
        "{value} is the capital city of {name}.",
        "The capital city of {name} is {value}.",
        "The capital of {name} is {value}, a city in {continent}.",
        "The government of {name} sits in {value}, the capital.",
    ),
    "continent": (
        "{name} is in {value}.",
        "{name} lies in {value}.",
        "{name} is a country in {value}.",
    ),
    "region": ("{name} lies here: {value}.", "Location of {name}: {value}."),
    "neighbors": (
        "{name} borders {value}.",
        "The land of {name} borders {value}.",
        "{name} has land borders with {value}.",
    ),
    "languages": (
        "People in {name} speak {value}.",
        "In {name}, people speak {value}.",
        "The language of {name} is {value}.",
    ),
    "currency": (
        "People in {name} pay in {value}.",
        "In {name}, prices are in {value}.",
        "The money of {name} is counted in {value}.",
    ),
    "population": (
        "In 2015, about {value} people lived in {name}.",
        "{name} had a population of about {value} people in 2015.",
    ),
    "cities": (
        "The largest cities of {name} are {value}.",
        "Large cities in {name} are {value}.",
    ),
    "highest": (
        "The highest point of {name} is {value}.",
        "The highest point in {name} is {value}.",
    ),
    "crops": ("Farmers in {name} produce {value}.", "The farms of {name} produce {value}."),
    "resources": (
        "The natural resources of {name} include {value}.",
        "{name} has {value}.",
    ),
    "exports": ("{name} sells {value} to other countries.", "{name} exports {value}."),
    "government": ("The government of {name} is a {value}.",),
    "independence": (
        "{name} became independent on {value}.",
        "{name} has been independent since {value}.",
    ),
    "holiday": ("The national holiday of {name} is {value}.",),
    "colors": (
        "The national colors of {name} are {value}.",
        "The colors of {name} are {value}.",
    ),
    "adjective": ("Something from {name} is called {value}.",),
    "coast": ("{name} {value}.",),
}
QUESTIONS: dict[str, tuple[str, ...]] = {
    "capital": (
        "What is the capital of {name}?",
        "What is the capital city of {name}?",
        "Which city is the capital of {name}?",
        "What's the capital of {name}?",
    ),
    "continent": ("Where is {name}?", "In which part of the world is {name}?"),
    "neighbors": ("Which countries border {name}?", "What does {name} border?"),
    "languages": (
        "What language do people speak in {name}?",
        "Which language is spoken in {name}?",
    ),
    "currency": ("How do people pay in {name}?", "What is the currency of {name}?"),
    "population": ("How many people live in {name}?", "What is the population of {name}?"),
    "cities": ("What are the largest cities of {name}?",),
    "highest": ("What is the highest point of {name}?", "What is the highest point in {name}?"),
    "crops": ("What do farmers in {name} produce?",),
    "resources": ("What are the natural resources of {name}?",),
    "exports": ("What does {name} sell to other countries?",),
    "government": ("What kind of government does {name} have?",),
    "independence": ("When did {name} become independent?",),
    "holiday": ("What is the national holiday of {name}?",),
    "colors": ("What are the national colors of {name}?",),
}
_ABOUT = "Tell me about {name}."
_COMMON = ("capital", "continent", "languages", "currency", "neighbors")


def values(country: Country, pick: random.Random) -> dict[str, str]:
    """Return the known values of a country in words. Long lists are shortened at random."""

    def some(items: Sequence[str], most: int = 4) -> str:
        kept = sorted(pick.sample(range(len(items)), min(most, len(items))))
        return listed([items[i] for i in kept])

    known = {
        "capital": country.capital,
        "continent": country.continent,
        "region": country.region,
        "neighbors": listed([with_article(name) for name in country.neighbors]),
        "languages": listed(country.languages),
        "currency": country.currency,
        "population": rounded(country.population),
        "cities": listed(country.cities[:4]) if len(country.cities) > 1 else "",
        "highest": country.highest,
        "crops": some(country.crops),
        "resources": some(country.resources),
        "exports": some(country.exports),
        "government": country.government,
        "independence": country.independence,
        "holiday": country.holiday,
        "colors": listed(country.colors.split(", ")) if country.colors else "",
        "adjective": country.adjective,
        "coast": "has a coast" if country.coast else "has no coast",
    }
    return {relation: value for relation, value in known.items() if value}


def portrait(country: Country, pick: random.Random) -> str:
    """Return a few sentences about one country, with random order and wording."""
    known = values(country, pick)
    relations = [r for r in _COMMON if r in known and pick.random() < 0.6]
    others = [r for r in known if r not in relations]
    relations += pick.sample(others, min(len(others), pick.randint(1, 4)))
    pick.shuffle(relations)
    return " ".join(_statement(country, relation, known, pick) for relation in relations)


def comparison(countries: Sequence[Country], pick: random.Random) -> str:
    """Return sentences that express the same relation for several countries."""
    relation = pick.choice(("capital",) * 6 + ("continent", "languages", "currency"))
    template = pick.choice(STATEMENTS[relation])
    weights = [portions(country.population) for country in countries]
    chosen = dict.fromkeys(pick.choices(countries, weights, k=6))
    return " ".join(
        _filled(template, country, known[relation])
        for country in chosen
        if relation in (known := values(country, pick))
    )


def conversation(country: Country, pick: random.Random) -> Iterator[tuple[str, str]]:
    """Yield one to three questions about a country, with their answers."""
    known = values(country, pick)
    askable = [relation for relation in QUESTIONS if relation in known]
    weights = [8 if relation == "capital" else 1 for relation in askable]
    for relation in pick.choices(askable, weights, k=pick.choice((1, 1, 2, 3))):
        question = pick.choice(QUESTIONS[relation]).format(name=country.name)
        yield question, _filled(STATEMENTS[relation][0], country, known[relation])
    if pick.random() < 0.1:
        yield _ABOUT.format(name=country.name), portrait(country, pick)


def _statement(country: Country, relation: str, known: dict[str, str], pick: random.Random) -> str:
    return _filled(pick.choice(STATEMENTS[relation]), country, known[relation])


def _filled(template: str, country: Country, value: str) -> str:
    text = template.format(name=country.name, value=value, continent=country.continent)
    text = re.sub(r"\b(is) a (?=[aeo])", r"\1 an ", text)
    return text[0].upper() + text[1:]


def listed(items: Sequence[str]) -> str:
    """Return a list such as "Belgium, Germany and Spain"."""
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)


def with_article(name: str) -> str:
    needs = ("Central African Republic", "Democratic Republic", "Republic of the", "Netherlands")
    also = ("Czech Republic", "Dominican Republic", "US", "UK", "UAE", "West Bank", "Gaza Strip")
    return f"the {name}" if name.startswith((*needs, *also)) else name


def rounded(population: int) -> str:
    if population >= 1_000_000:
        return f"{round(population / 1_000_000)} million"
    if population >= 1_000:
        return f"{round(population / 1_000)} thousand"
    return str(population)


def portions(population: int) -> int:
    """Return the number of portraits of a country; larger countries get more."""
    steps: list[tuple[int, int]] = [(40_000_000, 60), (10_000_000, 40), (1_000_000, 25)]
    return next((count for least, count in steps if population >= least), 10)
