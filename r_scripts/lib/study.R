# study.toml -> a list with every default filled in; the same keys and defaults as
# psychoseg/study.py.
#
# Takes a study folder, writes nothing. A key that is not known is an error here too: a misspelt
# setting that one program ignores would make the two programs differ without a word.

# NULL marks a key that has no default.
default_missing <- c("", "NA", "NaN")
file_keys <- list(
  file = NULL, id = NULL, separator = "auto", encoding = "auto", decimal = ".", sheet = NULL,
  skip_rows = 0L, header_rows = 1L, repeated_names = "error", leave_out_rows = integer(), duplicates = "error",
  missing = default_missing, numbers = list(), not_missing = list(), labels = NULL
)
known_keys <- list(
  study = list(
    title = "Survey segmentation", description = "", population = "", source = "", seed = 1L
  ),
  data = file_keys,
  merge = c(file_keys, list(to = NULL, expect = "one_to_one", unmatched = "error")),
  items = list(
    columns = NULL, question = "", range = NULL, codes = NULL, missing = character(),
    out_of_range = "error", reverse = character(), labels = list(), sensitive = NULL,
    lawful_basis = ""
  ),
  clean = list(min_answered = 0.5, straight_liners = "keep"),
  quality = list(
    action = "report",
    rules = c(
      "longstring_share", "mahalanobis_p", "even_odd", "synonyms", "person_total", "relative_speed",
      "failed_share"
    ),
    at_least = 2L, sufficient = character(),
    cutoffs = list(
      longstring_share = 0.5, variability = NULL, mahalanobis_p = 0.001, even_odd = 0.3,
      synonyms = 0, antonyms = 0, person_total = 0, relative_speed = 2, seconds_per_item = 2,
      failed_share = 0.5
    ),
    synonym_r = 0.6, duration = character(), checks = list()
  ),
  weights = list(
    column = NULL, kind = "sampling", margins = list(), trim = NULL, unmatched = "error"
  ),
  scales = list(
    correlation = "polychoric", missing = "pairwise", correction = 0, n_factors = "auto",
    replicates = 100L, percentile = 95, extraction = "minres", rotation = "oblimin",
    variant = "psych", kaiser = NULL, gamma = 0, delta = 0.01, power = 4, starts = 20L,
    min_loading = 0.3, min_answered = 0.5, score = "mean", centre = "none", drop_items = "propose",
    scale = list(), names = list()
  ),
  `scales.scale` = list(name = NULL, items = NULL, reverse = character()),
  columns = list(
    name = NULL, use = "profile", type = "auto", label = "", block = "demographics",
    order = character(), labels = list(), missing = character(), sensitive = NULL,
    lawful_basis = ""
  ),
  sets = list(
    name = NULL, columns = NULL, use = "profile", label = "", coding = "dichotomy",
    selected = character(), none = "missing", labels = list(), missing = character(),
    sensitive = NULL, lawful_basis = ""
  ),
  texts = list(column = NULL, label = "", quotes = 0L, language = "en", missing = character()),
  jobs = list(label = NULL, importance = NULL, satisfaction = NULL, kind = "outcome", top = NULL),
  actions = list(name = NULL, wants = NULL, description = ""),
  reduce = list(
    method = "components", standardise = TRUE, balance = "columns", blocks = list(),
    components = "share", share = 0.9, map = "pca"
  ),
  segments = list(
    k = "auto", k_min = 2L, k_max = 10L, method = "ward", consolidate = FALSE, eps = NULL,
    min_samples = 10L, exact_points = 1000000L, min_share = 0.05, min_people = 30L,
    bootstrap = 100L, null_replicates = 99L, min_jaccard = 0.6, stable_jaccard = 0.75,
    audits = TRUE, consensus = FALSE, names = list(), texts = list(), previous = NULL
  ),
  profiles = list(min_base = 10L, correction = "fdr", letters_scope = "variable"),
  report = list(
    formats = c("html", "pptx", "xlsx", "csv"), template = NULL, individuals = FALSE
  ),
  export = list(ids = "keep", key = "PSYCHOSEG_KEY"),
  engine = list(name = "python", tree = "auto", rotator = "psychoseg", time_limit = 600)
)
# What the R program does of some tables; it refuses other values. Of the rest of [scales] it has no
# use for delta and power, which belong to rotations it refuses, nor for starts: random starts look
# for a better optimum than the usual one and tell of others, while this program is to show what
# psych::fa finds. Of [segments] it has none for min_samples, which belongs to methods it refuses,
# for exact_points, since its tree is exact, nor for audits, which judge a division and change none.
# [engine] chooses between programs inside Python, so all of it is left aside, rotator among it.
can_do <- list(
  scales = list(
    correlation = c("polychoric", "pearson"), missing = "pairwise", correction = 0,
    extraction = "minres", rotation = "oblimin", variant = "psych", gamma = 0,
    score = c("mean", "sum"), centre = "none", drop_items = "propose"
  ),
  reduce = list(method = c("components", "none"), balance = "columns", map = "pca"),
  segments = list(method = "ward", consolidate = FALSE, consensus = FALSE)
)
lists_of_tables <- c("merge", "items", "columns", "sets", "texts", "jobs", "actions")
# Settings of Python's profiles, reports and exports. They change no segment, so this program leaves
# them aside and says so where they ask for something.
pythons_tables <- c("profiles", "report", "export")
pythons_lists <- c("sets", "texts", "jobs", "actions")

read_study <- function(path) {
  file <- if (dir.exists(path)) file.path(path, "study.toml") else path
  if (!file.exists(file)) {
    what <- if (dir.exists(path)) paste("the folder", path, "holds no study.toml") else paste(
      "no folder or file", path
    )
    fail(what, ": name a study folder, or its study.toml.")
  }
  raw <- tryCatch(
    # RcppTOML leaves backslashes alone with escape = FALSE, and doubles them without.
    RcppTOML::parseTOML(file, escape = FALSE),
    error = function(e) {
      why <- one_line(conditionMessage(e))
      # RcppTOML reads no list of numbers and texts mixed, which TOML allows.
      if (grepl("Not compatible", why)) {
        why <- "a list in it mixes numbers and texts: write them all as texts"
      }
      fail(file, " cannot be read as TOML (", why, ").")
    }
  )
  study <- fill_study(unclass(raw), file)
  study$file <- file
  study$folder <- dirname(file)
  study
}

fill_study <- function(raw, file) {
  attributes(raw) <- list(names = names(raw))
  study <- list()
  check_names(names(raw), setdiff(names(known_keys), "scales.scale"), file, "the file")
  for (name in setdiff(names(known_keys), "scales.scale")) {
    given <- raw[[name]]
    if (name %in% lists_of_tables) {
      study[[name]] <- lapply(given, fill, known_keys[[name]], file, name)
    } else if (name != "weights" || !is.null(given)) {
      study[[name]] <- fill(given, known_keys[[name]], file, name)
    }
  }
  study$scales$scale <- lapply(
    study$scales$scale, fill, known_keys[["scales.scale"]], file, "scales.scale"
  )
  lack <- function(tables, key) any(vapply(tables, function(t) is.null(t[[key]]), logical(1)))
  lacking <- c(
    if (is.null(study$data[["file"]])) "file in [data]",
    if (length(study$items) == 0L) "[[items]], which this program makes scales of",
    if (lack(study$items, "columns")) "columns in [[items]]",
    if (lack(study$merge, "file") || lack(study$merge, "id")) "file or id in [[merge]]",
    if (lack(study$sets, "columns")) "columns in [[sets]]",
    if (lack(study$texts, "column")) "column in [[texts]]"
  )
  if (length(lacking) > 0L) fail(file, " lacks ", paste(lacking, collapse = ", "), ".")
  check_names(
    names(study$quality$cutoffs), names(known_keys$quality$cutoffs), file, "[quality.cutoffs]"
  )
  refuse(study, file)
  refuse_sensitive(study, file)
  study
}

# What the study asks for that only Python's reports have, by name; empty where nothing.
for_python_alone <- function(study) {
  differs <- vapply(pythons_tables, function(name) {
    defaults <- known_keys[[name]]
    any(vapply(names(defaults), function(key) {
      !identical(as.character(study[[name]][[key]]), as.character(defaults[[key]]))
    }, NA))
  }, NA)
  there <- vapply(pythons_lists, function(name) length(study[[name]]) > 0L, NA)
  in_segments <- Filter(function(key) length(study$segments[[key]]) > 0L, c("texts", "previous"))
  c(
    sprintf("[%s]", pythons_tables[differs]), sprintf("[[%s]]", pythons_lists[there]),
    if (length(in_segments) > 0L) paste(paste(in_segments, collapse = " and "), "in [segments]")
  )
}

# Items and active columns make segments; sensitive ones (GDPR, article 9) need a lawful basis.
refuse_sensitive <- function(study, file) {
  unlawful <- function(table) isTRUE(table$sensitive) && !nzchar(trimws(table$lawful_basis))
  items <- Filter(unlawful, study$items)
  columns <- Filter(function(column) unlawful(column) && column$use == "active", study$columns)
  which <- c(
    vapply(items, function(table) paste(table$columns, collapse = ", "), ""),
    vapply(columns, `[[`, "", "name")
  )
  if (length(which) > 0L) {
    fail(
      file, ": ", paste(which, collapse = "; "), " are sensitive and would form segments, which ",
      "takes a lawful basis: add lawful_basis, or take them out (columns: use = \"profile\")."
    )
  }
}

# What would change the numbers and is not written in R.
refuse <- function(study, file) {
  asked <- c(
    unlist(lapply(names(can_do), function(table) {
      can <- can_do[[table]]
      given <- study[[table]]
      cannot <- Filter(function(key) !isTRUE(given[[key]] %in% can[[key]]), names(can))
      if (table == "scales" && !is.null(given$kaiser)) cannot <- c(cannot, "kaiser")
      vapply(cannot, function(key) {
        value <- jsonlite::toJSON(given[[key]], auto_unbox = TRUE, digits = NA)
        paste0(key, " = ", value, " in [", table, "]")
      }, "")
    })),
    if (length(study$reduce$blocks) > 0L) "[reduce.blocks]",
    if (identical(study$reduce$components, "parallel")) "components = \"parallel\" in [reduce]",
    if (length(study$segments$eps) > 0L) "eps in [segments]",
    if (any(vapply(study$sets, function(set) set$use == "active", NA))) {
      "use = \"active\" in [[sets]]"
    },
    if (study$quality$action == "exclude") "action = \"exclude\" in [quality]",
    if (length(study$quality$checks) > 0L) "[[quality.checks]]",
    if (length(study$weights$margins) > 0L) "[[weights.margins]]",
    if (length(study$weights$trim) > 0L) "trim in [weights]"
  )
  if (length(asked) > 0L) {
    fail(
      file, " asks for ", paste(asked, collapse = ", "), ", which the R program cannot do; run it ",
      "with psychoseg run, or leave this out."
    )
  }
  if (!is.null(study$weights) && is.null(study$weights$column)) {
    fail(file, " lacks column in [weights].")
  }
}

fill <- function(given, defaults, file, where) {
  check_names(names(given), names(defaults), file, paste0("[", where, "]"))
  for (key in names(given)) {
    # An empty list comes as NULL, and stands for itself, not for the default.
    defaults[key] <- list(if (is.null(given[[key]])) character() else given[[key]])
  }
  defaults
}

check_names <- function(given, known, file, where) {
  unknown <- setdiff(given, known)
  if (length(unknown) > 0L) {
    fail(
      file, ": unknown key ", paste(unknown, collapse = ", "), " in ", where, "; known are ",
      paste(known, collapse = ", "), "."
    )
  }
}
