"""The words of the method, each in a sentence for somebody who does not practise it."""

__all__ = ["GLOSSARY"]

GLOSSARY = (
    (
        "Base (n)",
        "How many people a number rests on, counted without weights.",
    ),
    (
        "Effective base",
        "How many unweighted people would tell as much as the weighted ones do. The more "
        "weights differ, the smaller it is (Kish 1965).",
    ),
    (
        "95% interval",
        "Where the true value plausibly lies. Had the survey been repeated many times, 95 in "
        "100 such intervals would hold it.",
    ),
    (
        "Scale",
        "The average of several items that measure one thing, more reliable than any single one.",
    ),
    (
        "Alpha (Cronbach)",
        "How consistently the items of a scale agree, usually from 0 to 1. From 0.70 a scale "
        "serves for research.",
    ),
    (
        "Factor analysis, loading",
        "Finds the few dimensions behind many items. A loading says how strongly an item "
        "reflects one of them.",
    ),
    (
        "Parallel analysis, eigenvalue",
        "Keeps as many factors as carry more variance (eigenvalue) than answers without any "
        "structure would.",
    ),
    (
        "KMO",
        "How suitable the items are for a factor analysis, from 0 to 1.",
    ),
    (
        "Principal components, map",
        "The directions in which people differ most. The map shows the first two, so people "
        "who are apart in others may look close.",
    ),
    (
        "Dendrogram, Ward's method",
        "A tree of who resembles whom. At each step Ward's method joins the two groups whose "
        "union blurs the differences least.",
    ),
    (
        "Silhouette",
        "How much closer people are to their own segment than to the next one, from −1 to 1. "
        "Near 0 the segments touch.",
    ),
    (
        "Jaccard (bootstrap)",
        "The survey is redrawn many times and segmented anew; this is how much of a segment "
        "comes back, from 0 to 1. Below 0.60 it has dissolved, from 0.75 it is valid, from "
        "0.85 highly stable (Hennig 2007).",
    ),
    (
        "Effect size",
        "How far a segment is from everybody else, free of units: Cohen's d for means, "
        "Cohen's h for shares. About 0.2 is small, 0.5 medium, 0.8 large (Cohen 1988).",
    ),
    (
        "Eta squared, Cramér's V",
        "How strongly a number or a category goes with the segments, from 0 to 1.",
    ),
    (
        "Reproducible, constructed",
        "A reproducible division returns when the survey is drawn again. A constructed one "
        "does not: it was drawn through a continuum (Dolnicar and Leisch 2010).",
    ),
)
