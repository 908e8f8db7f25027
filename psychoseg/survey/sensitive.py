"""Sensitive columns: a lexicon that suggests them, and the check that active ones are lawful.

Sensitive are the special categories of personal data of the GDPR, article 9 (1). The lexicon only
suggests: whether a column is sensitive is for the study file to say.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from psychoseg.errors import StudyError, tell
from psychoseg.study import ChoiceSet, Column, Study
from psychoseg.study_problems import list_problems
from psychoseg.survey.select import match_columns
from psychoseg.survey.table import Variable

__all__ = ["check_lawful", "lawful_problems", "sensitive_topic"]

#: Words by topic: English, German, French, Spanish, Slovak; lower case, without accents. Each is a
#: whole word or phrase, and ``*`` stands for the rest of a word. What has a common innocent sense
#: is left out, or is in a phrase alone: sex (gender), race (of cars), party (a feast), union (of
#: any kind), faith (in people), glaube (I think), liberal, conservative, health (of a brand).
_WORDS = {
    "health": """
        illness, illnesses, disease, diseases, diagnosis, diagnosed, diagnoses, disability,
        disabilities, disabled, medication, medications, cancer, diabetes, diabetic, hiv, asthma,
        epilepsy, chronic pain, chronic condition*, chronically ill, health status,
        health condition*, health problem*, state of health, rate your health,
        rate my health, your own health, general health,
        mental health, physical health, medical history, medical condition*, psychiatric,
        psychotherapy, depression, depressive, eating disorder*, anxiety disorder*, pregnant,
        pregnancy, miscarriage, abortion, abortions, blood pressure, body mass index, bmi,
        alcoholism, drug abuse, drug use,
        gesundheitszustand, krankheit, krankheiten, erkrankung*, behinderung*, schwerbehindert*,
        schwanger, schwangerschaft, diagnose, diagnosen, medikament*, psychisch krank,
        etat de sante, votre sante, maladie, maladies, handicape*, enceinte, grossesse,
        estado de salud, su salud, enfermedad, enfermedades, discapacidad*, embarazada, embarazo,
        zdravotny stav, zdravotne problemy, choroba, choroby, zdravotne postihnut*, tehotna,
        tehotenstvo
    """,
    "religion": """
        religion, religions, religious, religiosity, religiousness, religiously, relig,
        denomination, church, churches, mosque, synagogue, christian, christians, christianity,
        catholic, catholics, protestant, protestants, evangelical*, muslim, muslims, islam, islamic,
        jewish, judaism, hindu, hinduism, buddhist, buddhism, atheist, atheists, atheism, agnostic,
        believe in god, belief in god, god exists, pray, prayer, prayers, praying, worship, bible,
        quran, koran,
        konfession*, religios*, religionszugehorigkeit, kirche, kirchen, kirchgang*, katholisch*,
        muslimisch*, judisch*, glaube an gott, gebet,
        religieux, religieuse*, eglise, catholique*, musulman*, juif, juive, croyant*, priere,
        iglesia, catolico, catolica, creyente*,
        nabozenst*, vierovyznani*, verici, veriaci, kostol, katolic*, evanjelik*
    """,
    "politics": """
        politics, political, politically, politician, politicians, polviews, partyid,
        party affiliation, party identification, party id, party membership,
        left-right scale, left-right self-placement, vote,
        votes, voted, voter, voters, voting, democrat, democrats, republican, republicans,
        conservative party, labour party, election, elections, electoral, referendum,
        partei, parteien, parteineigung, parteimitglied*, politik, politisch*, wahlabsicht,
        wahlentscheidung, bundestagswahl, sonntagsfrage,
        politique, politiques, avez-vous vote, intention de vote,
        politica, politicas, politico, politicos, voto, votos, votaria, elecciones,
        politika, politick*, volili, volil ste, parlamentne volby
    """,
    "sex life": """
        sexual, sexuality, sexually, heterosexual*, homosexual*, bisexual*, gay, lesbian, lgbt*,
        sex life, sex partner*, had sex, having sex,
        sexuell*, sexualleben, homosexuell*, schwul, lesbisch*,
        sexuel, sexuelle, sexuels, homosexuel*, lesbienne,
        sexualidad, lesbiana*,
        sexualn*, sexualita
    """,
    "ethnic origin": """
        ethnic, ethnicity, ethnicities, racial, racially, your race, race ethnicity,
        race or ethnicity, race and ethnicity, respondent's race, race of respondent,
        race of the respondent, hispanic, hispanics, african american,
        asian american, caucasian, skin colour, skin color, indigenous,
        ethnisch*, ethnie, migrationshintergrund, hautfarbe,
        ethnique, ethniques, couleur de peau,
        etnia, etnias, etnico, etnica, raza,
        etnick*, etnicita, narodnost, narodnosti
    """,
    "trade union": """
        trade union*, labor union*, labour union*, union member*, member of a union, unionized,
        unionised,
        gewerkschaft*, betriebsrat*, syndicat, syndicats, syndique*, sindicato, sindicatos,
        odborova organizacia, odborovy zvaz, odborar*, clenstvo v odboroch
    """,
    "genetics or biometrics": """
        genetic, genetics, genome, genomic, genotype, dna, hereditary, biometric,
        biometrics, fingerprint, fingerprints, facial recognition, iris scan,
        genetisch*, erbgut, erbkrankheit*, biometrisch*, fingerabdruck*,
        genetique*, biometrique*, empreinte digitale, genetico, genetica, biometrico, biometrica,
        huella dactilar, geneticky, geneticke, biometrick*
    """,
}
#: What tells its topic only where it is the whole of a name or label.
_ALONE = {
    "race": "ethnic origin",
    "health": "health",
    "union": "trade union",
    "god": "religion",
    "orientation": "sex life",
    "party": "politics",
    "partyln": "politics",
    "raceth": "ethnic origin",
    "racethn": "ethnic origin",
    "anxiety": "health",
    "insomnia": "health",
}


def sensitive_topic(name: str, label: str) -> str:
    """Return which special category of personal data a column seems to be about; "" for none.

    Parameters
    ----------
    name, label : str
        Whole words count, whatever their case and accents; those of a name are divided by case,
        digits and signs (``partyId2`` is "party id").

    Returns
    -------
    {"", "health", "religion", "politics", "sex life", "ethnic origin", "trade union", \
"genetics or biometrics"}

    References
    ----------
    Regulation (EU) 2016/679 (GDPR), article 9 (1).
    """
    words = [_plain(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)), _plain(label)]
    for text in words:
        if text in _ALONE:
            return _ALONE[text]
        for topic, pattern in _PATTERNS.items():
            if pattern.search(text):
                return topic
    return ""


def lawful_problems(study: Study) -> list[str]:
    """Return which sensitive columns and items are active without a lawful basis.

    Items always count as active: scales are made of them.
    """
    problems = []
    remedy = 'Add its lawful_basis, such as lawful_basis = "explicit consent", or '
    for number, battery in enumerate(study.items, start=1):
        if battery.sensitive and not battery.lawful_basis.strip():
            problems.append(
                f"items[{number}] ({', '.join(battery.columns)}): sensitive = true, and items form "
                f"segments, which takes a lawful basis (GDPR, article 9). {remedy}take them out."
            )
    named: list[tuple[str, Column | ChoiceSet]] = [
        *((f"columns[{number}]", column) for number, column in enumerate(study.columns, start=1)),
        *((f"sets[{number}]", choices) for number, choices in enumerate(study.sets, start=1)),
    ]
    for place, one in named:
        if one.sensitive and one.use == "active" and not one.lawful_basis.strip():
            problems.append(
                f'{place} ({one.name}): sensitive = true, and use = "active" lets '
                f"it form segments, which takes a lawful basis (GDPR, article 9). {remedy}set use "
                '= "profile".'
            )
    return problems


def check_lawful(study: Study, codebook: Mapping[str, Variable]) -> None:
    """Refuse what is sensitive and active without a lawful basis, and say what may be sensitive.

    Parameters
    ----------
    study : Study
    codebook : mapping of str to Variable
        In the order of the file.

    Raises
    ------
    StudyError
        Listing all that :func:`lawful_problems` finds.

    Warns
    -----
    PsychosegWarning
        Once, of items and active columns that the study does not tag and the lexicon suggests.
    """
    problems = lawful_problems(study)
    if problems:
        raise StudyError(list_problems(problems, study.path))
    tags = _tags(study, codebook)
    found: dict[str, list[str]] = {}
    for name, variable in codebook.items():
        if variable.role in ("item", "active") and tags.get(name) is None:
            topic = sensitive_topic(name, variable.label)
            if topic:
                found.setdefault(topic, []).append(name)
    if found:
        listed = "; ".join(f"{', '.join(found[topic])} ({topic})" for topic in found)
        tell(
            f"these may be sensitive data (GDPR, article 9) and form segments: {listed}. Set "
            "sensitive = false where they are not; else sensitive = true and lawful_basis."
        )


def _tags(study: Study, codebook: Mapping[str, Variable]) -> dict[str, bool | None]:
    """Return what the study says of each item and column that it names."""
    names = list(codebook)
    tags: dict[str, bool | None] = {}
    for battery in study.items:
        for pattern in battery.columns:
            for name in match_columns(pattern, names):
                tags.setdefault(name, battery.sensitive)
    # A column named in full keeps its own settings where a pattern takes it in as well.
    for exact in (True, False):
        for column in study.columns:
            if (column.name in codebook) == exact:
                for name in match_columns(column.name, names):
                    tags.setdefault(name, column.sensitive)
    sets = {choices.name: choices.sensitive for choices in study.sets}
    for name, variable in codebook.items():
        if variable.kind == "choice":
            tags.setdefault(name, sets.get(variable.block))
    return tags


def _plain(text: str) -> str:
    """Return lower-case words without accents, signs and digits, one space between."""
    bare = unicodedata.normalize("NFKD", text)
    bare = "".join(c for c in bare if not unicodedata.combining(c)).casefold()
    return " ".join(re.findall(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*", bare)).replace("\u2019", "'")


def _pattern(words: str) -> re.Pattern[str]:
    parts = []
    for word in words.split(","):
        rest = r"[^\W\d_]*" if word.strip().endswith("*") else ""
        parts.append(re.escape(_plain(word)) + rest)
    return re.compile(rf"(?<!\w)(?:{'|'.join(parts)})(?!\w)")


_PATTERNS = {topic: _pattern(words) for topic, words in _WORDS.items()}
