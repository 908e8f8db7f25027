# Tables of text -> a survey: merged, coded, checked, cleaned, weighted, with a ledger of everybody
# left out.
#
# A survey is a list: ids, items (data frame of raw codes, NA where not answered), columns (numeric
# or factor), variables (data frame: name, label, role, kind, block, low, high, reversed), weights,
# weight_kind, ledger, n_read.

read_survey <- function(study) {
  answers <- read_file(study$data, study$folder)
  answers <- add_labels(answers, study$data, study$folder)
  ids <- respondent_ids(answers, study$data$id)
  ledger <- left_out_lines(answers)
  state <- list(table = answers, ids = ids, keep = rep(TRUE, length(ids)), ledger = ledger)
  for (merge in study$merge) state <- merge_file(state, merge, study)
  state <- code_items(state, study$items, reversed_everywhere(study$scales$scale))
  columns <- code_columns(state$table, study$columns, state$variables$name, state$keep)
  check_apart(state$table, study, c(state$variables$name, columns$variables$name))
  state <- leave_out(state, study$clean)
  state <- weigh(state, study$weights)
  keep <- state$keep
  state$variables <- fill_ends(state$variables, state$items[keep, , drop = FALSE])
  used <- lapply(columns$values, function(x) if (is.factor(x)) droplevels(x[keep]) else x[keep])
  survey <- list(
    ids = ids[keep], items = state$items[keep, , drop = FALSE],
    columns = as.data.frame(used, check.names = FALSE, optional = TRUE, stringsAsFactors = FALSE),
    variables = rbind(state$variables, columns$variables), weights = state$weights[keep],
    weight_kind = if (is.null(study$weights)) "none" else study$weights$kind,
    ledger = state$ledger, n_read = length(ids)
  )
  excluded <- sum(survey$ledger$effect == "excluded")
  if (survey$n_read != sum(keep) + excluded) {
    stop("rows in (", survey$n_read, ") are not kept (", sum(keep), ") + excluded (", excluded, ")")
  }
  if (sum(keep) == 0L) {
    fail("no respondent is left after cleaning: look at [clean], missing and range in study.toml.")
  }
  rownames(survey$items) <- NULL
  survey
}

# An integer weight counts as many people; sampling weights count as Kish's effective size.
effective_n <- function(survey) {
  w <- survey$weights
  if (survey$weight_kind == "frequency") sum(w) else sum(w)^2 / sum(w^2)
}

keyed_items <- function(survey) {
  items <- survey$items
  for (name in names(items)) {
    variable <- survey$variables[survey$variables$name == name, ]
    if (variable$reversed) items[[name]] <- variable$low + variable$high - items[[name]]
  }
  items
}

# ---- ledger ----

new_ledger <- function(respondent = character(), file = character(), row = integer(),
                       stage = character(), effect = character(), reason = character()) {
  n <- length(respondent)
  data.frame(
    respondent = respondent, file = rep_len(file, n), row = row, stage = rep_len(stage, n),
    effect = rep_len(effect, n), reason = rep_len(reason, n)
  )
}

# Takes respondents out once: who is out already is not written down again.
exclude <- function(state, who, stage, reason) {
  out <- which(who & state$keep)
  lines <- new_ledger(
    state$ids[out], state$table$file, state$table$rows[out], stage, "excluded",
    if (length(reason) == 1L) reason else reason[out]
  )
  state$ledger <- rbind(state$ledger, lines)
  state$keep[out] <- FALSE
  state
}

# A line for each row that the study leaves out of a file.
left_out_lines <- function(table) {
  out <- table$left_out
  if (is.null(out)) return(new_ledger())
  new_ledger(out$id, table$file, out$row, "read", "unused", out$reason)
}

# ---- ids, labels, merges ----

respondent_ids <- function(table, id) {
  if (is.null(id)) return(as.character(seq_len(nrow(table$cells))))
  ids <- column_of(table, id)
  if (any(ids == "")) {
    fail(table$path, ", line ", table$rows[which(ids == "")[[1L]]], ": the id ", id, " is empty.")
  }
  twice <- unique(ids[duplicated(ids)])
  if (length(twice) > 0L) {
    fail(
      table$path, ": the id ", twice[[1L]], " occurs more than once in ", id,
      "; each respondent needs one row, or set duplicates = \"first\" or \"last\" in [data]."
    )
  }
  ids
}

column_of <- function(table, name) {
  if (!name %in% names(table$cells)) {
    fail(
      table$path, " has no column ", name, "; it has ",
      paste(utils::head(names(table$cells), 12L), collapse = ", "), "."
    )
  }
  table$cells[[name]]
}

add_labels <- function(table, spec, folder) {
  if (is.null(spec$labels)) return(table)
  labels <- read_file(utils::modifyList(file_keys, list(file = spec$labels, missing = "")), folder)
  at <- match(names(table$cells), column_of(labels, "name"))
  found <- !is.na(at) & labels$cells$label[at] != ""
  table$labels[found] <- labels$cells$label[at][found]
  table
}

merge_file <- function(state, merge, study) {
  other <- add_labels(read_file(merge, study$folder), merge, study$folder)
  state$ledger <- rbind(state$ledger, left_out_lines(other))
  to <- if (!is.null(merge$to)) merge$to else study$data$id
  if (is.null(to)) {
    fail("[[merge]] of ", merge$file, " needs an id in [data], or to = a column of the answers.")
  }
  keys <- column_of(other, merge$id)
  here <- column_of(state$table, to)
  twice <- unique(keys[duplicated(keys) & keys != ""])
  if (length(twice) > 0L) {
    fail(
      other$path, ": ", merge$id, " ", twice[[1L]],
      " occurs more than once, so respondents would multiply; each may stand there once."
    )
  }
  if (any(keys == "")) {
    fail(other$path, ", line ", other$rows[keys == ""][[1L]], ": the key ", merge$id, " is blank.")
  }
  if (merge$expect == "one_to_one" && !is.null(merge$to)) {
    shared <- unique(here[duplicated(here) & here != "" & here %in% keys])
    if (length(shared) > 0L) {
      fail(
        state$table$path, ": several respondents have ", to, " ", shared[[1L]],
        "; set expect = \"many_to_one\" if that is right."
      )
    }
  }
  at <- match(here, keys)
  at[here == ""] <- NA
  alone <- is.na(at)
  if (all(alone)) {
    fail(
      "no respondent of ", state$table$path, " meets a row of ", other$path,
      "; name the columns that hold the same ids."
    )
  }
  if (any(alone) && merge$unmatched == "error") {
    fail(
      sum(alone), " respondents, such as ", state$ids[alone][[1L]], ", are not in ", other$path,
      "; set unmatched = \"drop\" or \"keep\"."
    )
  }
  if (merge$unmatched == "drop") state <- exclude(
    state, alone, "merge", paste("not in", merge$file)
  )
  unused <- setdiff(seq_along(keys), at)
  state$ledger <- rbind(
    state$ledger, new_ledger(
      keys[unused], merge$file, other$rows[unused], "merge", "unused", "not among the respondents"
    )
  )
  added <- setdiff(names(other$cells), merge$id)
  clash <- intersect(added, names(state$table$cells))
  if (length(clash) > 0L) {
    fail(
      other$path, " and ", state$table$path, " both have a column ", clash[[1L]], "; rename one."
    )
  }
  cells <- other$cells[at, added, drop = FALSE]
  cells[is.na(cells)] <- ""
  state$table$cells <- cbind(state$table$cells, cells)
  for (part in c("labels", "questions")) state$table[[part]] <- c(
    state$table[[part]], other[[part]][added]
  )
  state$table$value_labels <- c(
    state$table$value_labels, other$value_labels[intersect(names(other$value_labels), added)]
  )
  state$table$decimal <- c(decimals(state$table), decimals(other)[added])
  state
}

decimals <- function(table) {
  if (length(table$decimal) > 1L) return(table$decimal)
  stats::setNames(rep(table$decimal, ncol(table$cells)), names(table$cells))
}

# ---- items ----

# An item that another scale holds unturned is turned in its own scale alone.
reversed_everywhere <- function(scales) {
  asked <- unique(unlist(lapply(scales, `[[`, "reverse")))
  Filter(function(item) {
    all(vapply(scales, function(s) !item %in% s$items || item %in% s$reverse, logical(1)))
  }, asked)
}

code_items <- function(state, batteries, scale_reversed) {
  state$items <- list()
  state$variables <- NULL
  for (battery in batteries) {
    names <- expand_columns(battery$columns, names(state$table$cells), state$table$path)
    reversed <- c(expand_columns(battery$reverse, names, state$table$path), scale_reversed)
    for (name in names) {
      if (!is.null(state$items[[name]])) {
        fail("item ", name, " stands in two [[items]] tables; leave it in one.")
      }
      coded <- code_item(state, name, battery)
      state <- exclude(
        coded$state, coded$out, "range",
        sprintf("%s out of range: %s", name, state$table$cells[[name]])
      )
      state$items[[name]] <- coded$codes
      state$variables <- rbind(state$variables, data.frame(
        name = name, label = label_of(state$table, name, battery$labels[[name]]), role = "item",
        kind = "likert", block = "",
        low = coded$ends[[1L]], high = coded$ends[[2L]], reversed = name %in% reversed
      ))
    }
  }
  state$items <- as.data.frame(state$items, check.names = FALSE, optional = TRUE)
  state
}

# Names, ranges in file order ("A1:A5") and patterns ("mot_*"), in the order given.
expand_columns <- function(wanted, known, path) {
  found <- lapply(wanted, function(text) {
    if (text %in% known) return(text)
    for (colon in gregexpr(":", text, fixed = TRUE)[[1L]]) {
      at <- match(trimws(c(substr(text, 1L, colon - 1L), substring(text, colon + 1L))), known)
      if (!anyNA(at) && at[[1L]] <= at[[2L]]) return(known[seq.int(at[[1L]], at[[2L]])])
    }
    # Brackets are only brackets: form services write "Frequency [Rock]".
    regex <- gsub("([][{}()+.^$|\\\\])", "\\\\\\1", text)
    regex <- paste0("^", gsub("?", ".", gsub("*", ".*", regex, fixed = TRUE), fixed = TRUE), "$")
    hits <- if (grepl("[*?]", text)) known[grepl(regex, known)] else character()
    if (length(hits) == 0L) {
      fail(
        path, " has no column ", text, "; it has ", paste(utils::head(known, 12L), collapse = ", "),
        "."
      )
    }
    hits
  })
  unique(unlist(found))
}

code_item <- function(state, name, battery) {
  text <- column_of(state$table, name)
  decimal <- decimals(state$table)[[name]]
  text[is_code(text, battery$missing)] <- ""
  labels <- state$table$value_labels[[name]]
  value <- NULL
  if (is.null(battery$codes)) {
    codes <- parse_number(text, decimal)
  } else {
    known <- battery$codes
    value <- if (is.list(known)) unlist(known) else stats::setNames(seq_along(known), known)
    codes <- unname(as.numeric(value[text]))
    # Codes that the file stores as numbers with these texts as labels.
    if (!is.null(labels)) codes <- ifelse(is.na(codes), value[labels[text]], codes)
  }
  no_code <- is.na(codes) & text != ""
  odd <- unique(text[no_code & state$keep])
  if (length(odd) > 0L && is.null(value)) {
    fail(
      "item ", name, " holds text: ", paste(utils::head(odd, 5L), collapse = ", "),
      "; give codes or missing in its [[items]]."
    )
  }
  ends <- answer_ends(battery, value, labels)
  part <- if (is.null(value)) rare_fractions(codes, state$keep) else rep(FALSE, length(codes))
  hit <- which(part & state$keep)
  if (length(hit) > 0L && battery$out_of_range == "error") {
    fail(
      "item ", name, ": ", text[[hit[[1L]]]], " is no whole number, as the other answers are; ",
      "leave a row of means out with leave_out_rows in [data], or set out_of_range in its ",
      "[[items]]."
    )
  }
  beyond <- no_code | part | (
    !is.na(codes) & !is.na(ends[[1L]]) & (codes < ends[[1L]] | codes > ends[[2L]])
  )
  hit <- which(beyond & state$keep)
  if (length(hit) > 0L && battery$out_of_range == "error") {
    fail(
      "item ", name, " has answers outside ", ends[[1L]], " to ", ends[[2L]],
      " or not among its codes: ",
      paste(utils::head(unique(text[hit]), 5L), collapse = ", "),
      "; set missing, range or out_of_range in its [[items]]."
    )
  }
  if (battery$out_of_range == "missing") {
    state$ledger <- rbind(state$ledger, new_ledger(
      state$ids[hit], state$table$file, state$table$rows[hit], "range", "set missing", paste(
        name, "out of range:", text[hit]
      )
    ))
  }
  codes[beyond] <- NA
  list(
    state = state, codes = codes, ends = as.numeric(ends),
    out = beyond & battery$out_of_range == "exclude"
  )
}

# The few fractions where everybody else gave whole numbers in steps; as in
# psychoseg/survey/coding.py.
rare_fractions <- function(codes, keep) {
  there <- keep & !is.na(codes)
  whole <- !is.na(codes) & codes %% 1 == 0
  part <- !is.na(codes) & !whole
  steps <- length(unique(codes[there & whole]))
  few <- sum(part & there)
  others <- sum(whole & there)
  rare <- few > 0L && steps <= 12L && others >= 20L && few <= max(1, 0.01 * others)
  part & rare
}

# The battery's range, else its codes, else the file's value labels, else unknown until the kept
# answers are seen.
answer_ends <- function(battery, value, labels) {
  if (!is.null(battery$range)) return(battery$range)
  if (!is.null(value)) return(range(value))
  number <- parse_number(names(labels))
  absent <- is_code(names(labels), battery$missing) | labels %in% battery$missing
  number <- number[!is.na(number) & !absent]
  if (length(number) > 1L) range(number) else c(NA_real_, NA_real_)
}

fill_ends <- function(variables, items) {
  for (i in which(variables$role == "item" & is.na(variables$low))) {
    x <- items[[variables$name[[i]]]]
    if (all(is.na(x))) {
      fail("item ", variables$name[[i]], " has no answer; leave it out of [[items]].")
    }
    variables[i, c("low", "high")] <- range(x, na.rm = TRUE)
  }
  variables
}

# Whether a text is one of the codes: the same text, or the same number.
is_code <- function(text, codes) {
  if (length(codes) == 0L) return(rep(FALSE, length(text)))
  number <- parse_number(text)
  text %in% as.character(codes) | (!is.na(number) & number %in% parse_number(as.character(codes)))
}

label_of <- function(table, name, given = NULL) {
  if (!is.null(given) && nzchar(given)) return(given)
  label <- table$labels[[name]]
  if (nzchar(label)) label else name
}

# ---- columns ----

# An SPSS file's measure level is not read here (haven drops it): give such columns a type in
# study.toml.
code_columns <- function(table, specs, items, keep) {
  values <- list()
  variables <- NULL
  exact <- vapply(specs, `[[`, "", "name")
  for (spec in specs) {
    names <- expand_columns(spec$name, names(table$cells), table$path)
    # A column named in full keeps its own settings where a pattern takes it in as well.
    for (name in setdiff(names, c(items, setdiff(exact, spec$name)))) {
      text <- table$cells[[name]]
      text[is_code(text, spec$missing)] <- ""
      labels <- c(unlist(spec$labels), table$value_labels[[name]])
      labels <- labels[!duplicated(names(labels))]
      number <- parse_number(text, decimals(table)[[name]])
      type <- if (spec$type == "auto") guess_type(text, number, spec$order, labels) else spec$type
      bad <- text[keep & is.na(number) & text != ""]
      if (type == "numeric" && length(bad) > 0L) {
        fail("column ", name, " is numeric but holds ", bad[[1L]], ".")
      }
      if (type == "ordinal") check_order(name, text, number, spec$order, labels)
      values[[name]] <- if (type == "numeric") number else categories(
        text, number, spec$order, labels
      )
      variables <- rbind(variables, data.frame(
        name = name, label = label_of(table, name, spec$label), role = spec$use, kind = type,
        block = spec$block, low = NA_real_, high = NA_real_, reversed = FALSE
      ))
    }
  }
  list(values = values, variables = variables)
}

guess_type <- function(text, number, order, labels) {
  many <- 12L # more distinct numbers than this are a quantity even where some codes carry labels
  distinct <- unique(number[!is.na(number)])
  texts <- sum(is.na(number) & text != "")
  numeric <- if (length(order) > 0L) {
    FALSE
  } else if (texts > 0L) {
    length(distinct) > many && sum(!is.na(number)) > texts
  } else if (length(labels) == 0L) {
    length(distinct) > 0L
  } else {
    length(distinct) > many && !all(number_text(distinct) %in% names(labels))
  }
  if (numeric) "numeric" else "categorical"
}

# The order of an ordinal column: given, that of labels, or that of numbers.
check_order <- function(name, text, number, order, labels) {
  there <- text != ""
  unknown <- setdiff(text[there], names(labels))
  if (length(order) == 0L && anyNA(number[there]) && length(unknown) > 0L) {
    fail(
      "column ", name, ": type = \"ordinal\" takes an order of its answers (",
      paste(utils::head(unique(text[there]), 12L), collapse = ", "), "): give it, lowest first."
    )
  }
}

categories <- function(text, number, first, labels) {
  met <- unique(text[text != ""])
  met <- if (anyNA(number[text != ""])) sort(met) else met[order(parse_number(met))]
  # An order may name the categories as they stand in the file or as their labels.
  named <- ifelse(first %in% c(met, names(labels)), first, names(labels)[match(first, labels)])
  levels <- unique(c(stats::na.omit(named), intersect(names(labels), met), met))
  shown <- unname(ifelse(levels %in% names(labels), labels[levels], levels))
  factor(ifelse(text == "", NA_character_, text), levels = levels, labels = shown)
}

# Sets and open questions are for Python's profiles and make no segment: none of their columns may
# be an item or one of [[columns]] as well.
check_apart <- function(table, study, used) {
  texts <- vapply(study$texts, function(text) {
    column_of(table, text$column)
    text$column
  }, "")
  named <- list(
    `[[sets]]` = expand_columns(
      unlist(lapply(study$sets, `[[`, "columns")), names(table$cells), table$path
    ),
    `[[texts]]` = texts
  )
  for (where in names(named)) {
    both <- intersect(named[[where]], used)
    if (length(both) > 0L) {
      fail(
        study$file, ": ", paste(both, collapse = ", "), " in ", where,
        " is also among [[items]] or [[columns]]; use a column as one or the other."
      )
    }
  }
}

# ---- who is left out; weights ----

leave_out <- function(state, clean) {
  items <- as.matrix(state$items)
  answered <- rowMeans(!is.na(items))
  reason <- sprintf("answered %.0f of %d items", rowSums(!is.na(items)), ncol(items))
  state <- exclude(state, answered < clean$min_answered - 1e-9, "clean", reason)
  if (clean$straight_liners == "exclude") {
    # The same answer to fewer than ten items may be an honest one.
    same <- apply(
      items, 1L, function(x) sum(!is.na(x)) >= 10L && length(unique(x[!is.na(x)])) == 1L
    )
    state <- exclude(state, same, "clean", "gave the same answer to every item")
  }
  state
}

weigh <- function(state, settings) {
  if (is.null(settings)) {
    state$weights <- rep(1, length(state$ids))
    return(state)
  }
  text <- column_of(state$table, settings$column)
  weights <- parse_number(text, decimals(state$table)[[settings$column]])
  if (anyNA(weights[text != ""])) {
    fail(
      "the weights ", settings$column, " hold text: ", text[is.na(weights) & text != ""][[1L]], "."
    )
  }
  if (any(weights < 0, na.rm = TRUE)) {
    fail(
      "the weights ", settings$column, " hold ", min(weights, na.rm = TRUE),
      "; correct them, or remove these rows."
    )
  }
  state <- exclude(
    state, is.na(weights) | weights == 0, "weights", paste("no weight in", settings$column)
  )
  if (settings$kind == "sampling") weights <- weights / mean(weights[state$keep])
  state$weights <- weights
  state
}
