"""The words of the method, each in a sentence for somebody who does not practise it."""

from psychoseg.stats.choice import ALPHA

__all__ = ["GLOSSARY"]

GLOSSARY = (
    (
        "Base (n)",
        "How many people a number rests on, counted without weights.",
    ),
    (
        "Effective base (Kish)",
        "How many unweighted people would tell as much as the weighted ones do. The more "
        "weights differ, the smaller it is (Kish 1965).",
    ),
    (
        "95% interval",
        "Where the true value plausibly lies. Had the survey been repeated many times, 95 in "
        "100 such intervals would hold it.",
    ),
    (
        "Index",
        "A segment's figure with everybody's set to 100: 150 is half as much again, 50 is half. "
        "Scales and ratings have none: coded 1 to 5 it would differ from that of 0 to 4.",
    ),
    (
        "Letters",
        "Each column of a table has a letter. A figure carries the letters of the columns it is "
        "significantly higher than: small at 5%, capital at 0.1%. They are corrected for the "
        "number of comparisons within one variable unless the table says otherwise.",
    ),
    (
        "v-test",
        "How far a segment's mean or share is from what as many people drawn at random would give, "
        "in standard errors; beyond 2 is more than chance. It orders figures, and proves nothing "
        "for what made the segments (Lebart, Morineau and Piron 1995).",
    ),
    (
        "Rao-Scott, Wald",
        "Tests of whether segments differ, in shares and in means, that take the weights into "
        "account: without weights they are about the usual chi-square and analysis of variance "
        "(Rao and Scott 1984).",
    ),
    (
        "Hidden figures",
        "A figure on fewer people than the least base is not printed, and neither is one by which "
        "such a figure could be worked out.",
    ),
    (
        "Marker variable",
        "A scale on which a segment is more than half a standard deviation from everybody: what "
        "one knows the segment by (Dolnicar, Grün and Leisch 2018).",
    ),
    (
        "Permutation importance",
        "How much less often a model finds the right segment, of people it has not seen, when the "
        "answers to one question are shuffled (Breiman 2001).",
    ),
    (
        "Decision tree, rule",
        "A few yes-or-no questions that lead to a segment; simple, and less often right than the "
        "model.",
    ),
    (
        "Jobs, outcomes, opportunity score",
        "What people want done and how they tell that it went well. The score is importance plus "
        "what satisfaction leaves open, from 0 to 20 (Ulwick 2005).",
    ),
    (
        "Distinctive words, log-odds",
        "Words that a segment uses more than the others, held back where a word is rare (Monroe, "
        "Colaresi and Quinn 2008).",
    ),
    (
        "Multiple response",
        "A question with several answers: its shares are of those who gave any and add up to more "
        "than 100%.",
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
        "Pattern, structure, communality",
        "Pattern loadings say what each factor adds to an item beside the others; structure "
        "loadings are plain correlations of items with factors. The communality is the share of "
        "an item that all factors together explain.",
    ),
    (
        "Parallel analysis, eigenvalue, scree",
        "An eigenvalue is how many items' worth of variance a factor or component carries. "
        "Parallel analysis keeps those that carry more than answers without any structure would; "
        "the scree plot draws both. Components include what is special to each item, factors only "
        "what items share (Horn 1965).",
    ),
    (
        "Minimum average partial",
        "Takes out components until what is left between items is smallest (Velicer 1976).",
    ),
    (
        "Empirical Kaiser criterion",
        "Keeps eigenvalues above what sampling error and the factors before would give "
        "(Braeken and van Assen 2017).",
    ),
    (
        "Hull",
        "Looks for the number of factors after which fit stops rising quickly (Lorenzo-Seva, "
        "Timmerman and Kiers 2011).",
    ),
    (
        "Kaiser's rule, acceleration factor",
        "Eigenvalues above one, and the sharpest bend of the scree. Well known and often wrong.",
    ),
    (
        "KMO, MSA, Bartlett's test",
        "How suitable all items (KMO) or one of them (MSA) are for a factor analysis, from 0 to "
        "1. Bartlett's test asks whether they correlate at all.",
    ),
    (
        "Polychoric correlation",
        "The correlation of the attitudes that people round to one of a few answers.",
    ),
    (
        "Chi-square, RMSEA, SRMR, RMSR",
        "How far the factors miss the correlations between items: tested, per degree of freedom "
        "and respondent, and as a typical residual. 0 is a perfect fit.",
    ),
    (
        "TLI, CFI",
        "How much of the way from unrelated items to a perfect fit the factors go; 1 is all of it.",
    ),
    (
        "BIC",
        "Weighs fit against the number of loadings it takes; lower is better.",
    ),
    (
        "Residual",
        "What is left of the correlation of two items after the factors. A large one says that "
        "the two share something else, often their wording.",
    ),
    (
        "Standardised and ordinal alpha",
        "Alpha of items brought to one spread, and of the attitudes behind the answers.",
    ),
    (
        "Omega total, general and own part",
        "The share of a score that is not chance; and of it, what all scales have in common and "
        "what this one alone measures (Schmid-Leiman transformation).",
    ),
    (
        "Omega hierarchical, explained common variance",
        "How far one thing common to all items stands behind the sum of all of them, and behind "
        "all they share.",
    ),
    (
        "Lambda 6, split half",
        "Two other measures of reliability: how well the other items predict each one, and how "
        "well one half of the items agrees with the other (Guttman 1945).",
    ),
    (
        "Composite reliability (CR), average variance extracted (AVE)",
        "Reliability and average share of an item that one factor explains, from the loadings. "
        "An AVE of 0.50 is wanted (Fornell and Larcker 1981).",
    ),
    (
        "Determinacy",
        "How closely the best possible score would follow the factor, from 0 to 1.",
    ),
    (
        "Cross-loading, dependent pair",
        "An item that belongs to two factors at once; two items that share more than their factor.",
    ),
    (
        "Confirmatory factor analysis, robust, WLSMV, MLR",
        "Tests whether each item measures its own scale and no other. WLSMV takes answers as "
        "ordered categories, MLR as numbers; robust indices allow for what they are not.",
    ),
    (
        "Invariance (configural, metric, scalar)",
        "Whether a scale means the same in several groups: the same items on it, equally strongly, "
        "and answered from the same level. Only then may means be compared.",
    ),
    (
        "Careless answering",
        "Answers given without reading: long runs of one answer, impossible combinations, items "
        "alike answered differently, great speed, failed attention checks.",
    ),
    (
        "Raking, efficiency, design effect",
        "Raking makes weights that give the sample the population's shares of each category. "
        "Efficiency is the share of the respondents that the weighted sample is worth; the design "
        "effect is its inverse.",
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
        "comes back, from 0 to 1. Below 0.60 it is not to be trusted, from 0.75 it is valid, from "
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
        "Natural, reproducible, constructed",
        "Natural: there are gaps between groups that one cloud of people does not have. "
        "Reproducible: no gaps, but the same division returns when the survey is drawn again. "
        "Constructed: neither; the lines were drawn through a continuum (Dolnicar and Leisch "
        "2010).",
    ),
    (
        "One cloud, null test, p",
        "Made-up people with the same averages, correlations and answer steps, but no groups. p is "
        "the share of such clouds that look as clustered as the survey does; up to "
        f"{ALPHA:.2f} counts as gaps.",
    ),
    (
        "Recommended, runner-up, eligible",
        "A number of segments is eligible where all are large enough and come back; the rule "
        "recommends one, and names the next best.",
    ),
    (
        "Within sum of squares, elbow",
        "How much people differ from their segment's average. It always falls with more segments; "
        "the elbow is where it stops falling fast.",
    ),
    (
        "Calinski-Harabasz, Davies-Bouldin, Dunn",
        "Three ways to hold the distance between segments against the spread within them. High is "
        "good, but for Davies-Bouldin, where low is.",
    ),
    (
        "Gap statistic",
        "How much tighter the segments are than in made-up answers without any, with its standard "
        "error (Tibshirani, Walther and Hastie 2001).",
    ),
    (
        "Prediction strength",
        "Half of the people predict who belongs together in the other half: from 0.80 the segments "
        "are well separated (Tibshirani and Walther 2005).",
    ),
    (
        "Hartigan, Duda-Hart, height jump",
        "Three rules for when to stop dividing: how much the next division would gain, whether it "
        "is more than chance, and how far apart the groups are that it parts.",
    ),
    (
        "Link to profile",
        "How strongly the segments go with columns that did not make them: the mean of Cramér's V "
        "and of eta.",
    ),
    (
        "SLSw, SLSa",
        "Segment level stability: within one number of segments, how much of a segment comes back "
        "from resample to resample; across numbers, whether it stays together when there is one "
        "more or one fewer (Dolnicar and Leisch 2017).",
    ),
    (
        "Certainty, border",
        "In how many resamples a person lands in the same segment. Whoever does so in too few "
        "stands on a border.",
    ),
    (
        "Adjusted Rand index",
        "How far two divisions of the same people agree: 1 is fully, 0 no more than chance. From "
        "0.90 excellent, 0.80 good, 0.65 moderate (Steinley 2004).",
    ),
    (
        "Row-order audit, tied merges",
        "Many people give equal answers, so steps of a tree are tied, and a textbook tree then "
        "depends on the order of the file. The audit shuffles the file and looks.",
    ),
    (
        "Tandem check",
        "Whether dividing people by scales or components finds what dividing them by the items "
        "does.",
    ),
    (
        "Consensus",
        "One division made out of many different ones.",
    ),
    (
        "Block",
        "Features that belong together, such as scales or demographics.",
    ),
    (
        "Unassigned",
        "People whom a method that looks for dense groups leaves out: they fit no segment.",
    ),
)
