# Tests the scales of a finished run with lavaan: confirmatory factor analysis, measurement
# invariance over a column, and exploring on one half of the respondents to confirm on the other.
#
# Takes:  a run folder of psychoseg: scales/{items,factors}.csv, survey/{answers,codebook}.csv; the
#         seed, the kind of weights and the least loading from study.toml.
# Writes: RUN_FOLDER/scales/confirm/{fit,loadings,factor_correlations,notes}.csv, with --group
#         invariance.csv, with --split-half split_half.csv. The folder is replaced as a whole.

usage <- "Usage: Rscript confirm_scales.R RUN_FOLDER [OPTIONS]

Confirms the scales of a run folder with lavaan.

  RUN_FOLDER         a folder written by `psychoseg run`
  --group COLUMN     measurement invariance over a column of survey/answers.csv, such as gender
  --split-half       explore on a random half (psych::fa, minres and oblimin), confirm on the other
  --estimator NAME   auto (default), WLSMV (ordered categories) or ML (with robust tests);
                     auto takes WLSMV where every item has at most 7 different answers
  --seed N           of the halves (default: the study's)
  --quiet            no lines about the progress, and how long it will take, on stderr

Exit status: 0 done, 2 the input is wrong (one sentence says how), 1 a fault of the script.
"

script_folder <- function() {
  sourced <- if (sys.nframe() > 1L) sys.frame(1L)$ofile # read by source(), as the tests do
  file <- sourced
  if (is.null(file)) file <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
  dirname(gsub("~+~", " ", file, fixed = TRUE)) # Rscript writes a space as ~+~
}
here <- script_folder()
for (part in c("common", "scales", "confirm")) {
  source(file.path(here, "lib", paste0(part, ".R")), encoding = "UTF-8")
}

run_files <- c(
  items = "scales/items.csv", factors = "scales/factors.csv", answers = "survey/answers.csv",
  codebook = "survey/codebook.csv", study = "study.toml"
)
# Boomsma (1982): below 100 respondents a factor model's estimates and tests are not to be trusted.
min_respondents <- 100L
# A column of more values than this is a number, not groups.
max_groups <- 10L
everybody <- "all respondents"

main <- function(args, options) {
  need_packages(c("lavaan", "psych", "GPArotation", "RcppTOML"))
  estimator <- if (is.null(options$estimator)) "auto" else options$estimator
  if (!estimator %in% c("auto", "WLSMV", "ML")) {
    fail("--estimator is ", estimator, ": name auto, WLSMV or ML.")
  }
  run <- read_run(args[[1L]])
  seed <- read_seed(options$seed, run)
  notes <- character()
  # Warnings go on to stderr, and stay with the tables as well.
  tables <- withCallingHandlers(
    confirm(run, estimator, options$group, isTRUE(options[["split-half"]]), seed),
    warning = function(w) notes <<- c(notes, one_line(conditionMessage(w)))
  )
  tables$notes <- rbind(
    tables$notes, data.frame(topic = rep("warning", length(notes)), note = notes)
  )
  out <- file.path(run$folder, "scales", "confirm")
  write_tables(tables, out)
  print_summary(tables, out)
}

confirm <- function(run, estimator, column, halves, seed) {
  setup <- make_setup(run, estimator)
  # What is asked for and cannot be done is said before the long work.
  groups <- if (!is.null(column)) read_group(run, setup, column)
  if (halves) check_halves(setup)
  progress(
    "fitting ", length(unique(setup$members$scale)), " scales of ",
    length(unique(setup$members$item)), " items to ", nrow(setup$data), " respondents by ",
    if (setup$ordered) "WLSMV" else "robust ML"
  )
  began <- Sys.time()
  fit <- fit_model(setup, "the scales")
  check_solution(fit, setup, "the scales")
  tables <- list(
    fit = fit_table(fit, setup, everybody), loadings = loading_table(fit, setup, everybody),
    factor_correlations = correlation_table(fit, setup, everybody),
    notes = c(setup$notes, note_fit(fit))
  )
  if (!is.null(column)) {
    several <- take_rows(setup, groups$rows)
    levels <- invariance_levels(several)
    progress(
      "invariance over ", column, ": ", length(levels), " models of ", nlevels(groups$group),
      " groups, about ", duration(seconds_since(began) * invariance_cost(setup) * length(levels))
    )
    tables$invariance <- fit_invariance(several, groups$group)
    tables$invariance <- cbind(column = column, tables$invariance)
    tables$notes <- c(tables$notes, groups$notes)
  }
  if (halves) {
    progress("exploring on one half, confirming on the other")
    split <- split_half(setup, run, seed)
    for (name in c("fit", "loadings", "factor_correlations")) {
      tables[[name]] <- rbind(tables[[name]], split[[name]])
    }
    tables$split_half <- split$items
    tables$notes <- c(tables$notes, split$notes)
  }
  tables$notes <- data.frame(topic = names(tables$notes), note = unname(tables$notes))
  tables
}

# ---- reading ----

read_run <- function(folder) {
  if (!dir.exists(folder)) fail("no folder ", folder, ": name a run folder of psychoseg.")
  missing <- run_files[!file.exists(file.path(folder, run_files))]
  if (length(missing) > 0L) {
    fail(folder, " is not a whole run folder: it lacks ", paste(missing, collapse = ", "), ".")
  }
  tables <- lapply(run_files[!names(run_files) %in% c("answers", "study")], function(name) {
    read_table(file.path(folder, name), text_columns = c("item", "name", "label", "scale"))
  })
  study <- RcppTOML::parseTOML(file.path(folder, run_files[["study"]]), escape = FALSE)
  answers <- read_answers(file.path(folder, run_files[["answers"]]))
  c(tables, answers, list(folder = folder, study = study))
}

# The first two columns are the id and the weight, though an item may be called "id" or "weight".
read_answers <- function(file) {
  read <- function(...) {
    utils::read.csv(
      file,
      check.names = FALSE, encoding = "UTF-8", na.strings = "", stringsAsFactors = FALSE, ...
    )
  }
  all <- read(colClasses = c("character", rep(NA_character_, ncol(read(nrows = 1L)) - 1L)))
  names(all) <- unharmed(names(all))
  all[] <- lapply(all, function(x) if (is.character(x)) unharmed(x) else x)
  list(ids = all[[1L]], weights = all[[2L]], answers = all[-(1:2)])
}

read_seed <- function(given, run) {
  if (is.null(given)) given <- run$study[["study"]][["seed"]]
  seed <- suppressWarnings(as.integer(given))
  if (is.na(seed)) fail("--seed is ", given, ": give a whole number.")
  seed
}

# The answers keyed so that more means more of the scale, under names that lavaan can read.
make_setup <- function(run, estimator) {
  notes <- character()
  rows <- run$items[!is.na(run$items$scale), ]
  size <- table(rows$scale)
  alone <- names(size)[size == 1L]
  if (length(alone) > 0L) {
    warning(
      "left out, since one item cannot be confirmed: ", paste(alone, collapse = ", "),
      call. = FALSE
    )
    rows <- rows[!rows$scale %in% alone, ]
  }
  if (nrow(rows) == 0L) fail(run$folder, ": no scale has two items or more; nothing to confirm.")
  if (length(unique(rows$scale)) == 1L && nrow(rows) == 2L) {
    fail(
      run$folder, ": its only scale, ", rows$scale[[1L]], ", has two items; one correlation ",
      "cannot be tested against anything, so give it a third item or a second scale."
    )
  }
  pairs <- names(size)[size == 2L]
  if (length(pairs) > 0L) {
    notes <- c(notes, `two items` = paste0(
      "The two loadings of ", paste(pairs, collapse = ", "), " are held equal: two items alone ",
      "do not identify two loadings (Little, Lindenberger & Nesselroade 1999)."
    ))
  }
  known <- unique(run$items$item)
  absent <- setdiff(known, names(run$answers))
  if (length(absent) > 0L) {
    fail(run$folder, ": survey/answers.csv lacks the item ", absent[[1L]], "; run the study again.")
  }
  # In id order, so that the order of the rows changes nothing, not even the halves.
  place <- order(run$ids)
  codes <- sprintf("i%03d", seq_along(known))
  keyed <- lapply(known, function(item) {
    x <- run$answers[[item]][place]
    about <- run$codebook[run$codebook$name == item, ]
    if (run$items$key[run$items$item == item][[1L]] < 0) about$low + about$high - x else x
  })
  scales <- unique(rows$scale)
  setup <- list(
    data = stats::setNames(as.data.frame(keyed), codes), place = place,
    members = data.frame(
      scale = sprintf("s%02d", match(rows$scale, scales)), item = codes[match(rows$item, known)]
    ),
    names = stats::setNames(c(known, scales), c(codes, sprintf("s%02d", seq_along(scales)))),
    labels = stats::setNames(run$items$label[match(known, run$items$item)], codes),
    notes = notes
  )
  setup <- add_estimator(add_weights(setup, run), estimator)
  used <- unique(setup$members$item)
  empty <- rowSums(!is.na(setup$data[used])) == 0L
  if (any(empty)) {
    warning(sum(empty), " respondents answered no item of any scale: left out", call. = FALSE)
  }
  setup <- take_rows(setup, !empty)
  if (nrow(setup$data) < max(min_respondents, length(used) + 1L)) {
    fail(
      run$folder, ": ", nrow(setup$data), " respondents are too few to confirm scales of ",
      length(used), " items; it takes ", max(min_respondents, length(used) + 1L), "."
    )
  }
  setup
}

add_weights <- function(setup, run) {
  weights <- run$weights[setup$place]
  if (all(weights == weights[[1L]]) && weights[[1L]] == 1) return(setup)
  if (identical(run$study[["weights"]][["kind"]], "frequency")) {
    if (any(weights != round(weights))) {
      fail(
        run$folder, ": frequency weights must be whole numbers for lavaan, and one is ",
        weights[weights != round(weights)][[1L]], "; declare them as sampling weights."
      )
    }
    setup$times <- as.integer(weights)
    note <- "Frequency weights: each respondent stands in the data that many times."
  } else {
    setup$weights <- weights
    note <- sprintf(
      paste(
        "Sampling weights through lavaan's sampling.weights (effective sample size %.0f of %d);",
        "standard errors and scaled tests allow for them, the standard chi-square does not."
      ), sum(weights)^2 / sum(weights^2), length(weights)
    )
  }
  setup$notes <- c(setup$notes, weights = note)
  setup
}

add_estimator <- function(setup, wanted) {
  used <- unique(setup$members$item)
  answers <- vapply(setup$data[used], function(x) length(unique(x[!is.na(x)])), 0L)
  many <- max(answers) > max_categories
  large <- length(used) > max_ordered_items
  if (wanted == "WLSMV" && many) {
    fail(
      "the item ", setup$names[[used[[which.max(answers)]]]], " has ", max(answers), " different ",
      "answers, WLSMV takes ", max_categories, " at most; use --estimator ML."
    )
  }
  setup$ordered <- wanted == "WLSMV" || (wanted == "auto" && !many && !large)
  if (wanted == "auto" && large && !many) {
    warning(
      "WLSMV of ", length(used), " items takes too much memory (", max_ordered_items,
      " at most); robust ML instead", call. = FALSE
    )
  }
  setup$notes <- c(setup$notes, estimator = if (setup$ordered) {
    paste(
      "WLSMV on polychoric correlations: answers are ordered categories. Read the robust CFI, TLI",
      "and RMSEA (Savalei 2021) where they exist, else the scaled; missing answers pairwise."
    )
  } else {
    paste(
      "Maximum likelihood (lavaan's MLR): version standard is plain ML; scaled and robust allow",
      "for answers that are not normal. Missing answers by full information."
    )
  })
  setup
}

# Some respondents only; ordered answers counted anew, since lavaan takes no empty category.
take_rows <- function(setup, rows) {
  setup$data <- setup$data[rows, , drop = FALSE]
  rownames(setup$data) <- NULL
  for (part in c("place", "weights", "times")) {
    if (!is.null(setup[[part]])) setup[[part]] <- setup[[part]][rows]
  }
  if (setup$ordered) {
    setup$data[] <- lapply(setup$data, function(x) match(x, sort(unique(x))))
    setup$categories <- vapply(setup$data, max, 0L, na.rm = TRUE)
  }
  setup
}

# ---- groups ----

# Rows of the setup and their groups, the largest first: it is the one that others are compared to.
read_group <- function(run, setup, column) {
  roles <- run$codebook[run$codebook$role %in% c("active", "profile"), ]
  known <- intersect(roles$name, names(run$answers))
  if (!column %in% known) {
    fail(
      "--group ", column, ": the run has no such column; it has ", paste(known, collapse = ", "),
      "."
    )
  }
  value <- run$answers[[column]][setup$place]
  there <- !is.na(value)
  count <- table(as.character(value[there]))
  if (length(count) > max_groups) {
    fail(
      "--group ", column, ": it has ", length(count), " different values and groups can be ",
      max_groups, " at most; name a column of few categories."
    )
  }
  least <- max(min_respondents, length(unique(setup$members$item)) + 1L)
  sizes <- count[order(-count, names(count))]
  small <- names(sizes)[sizes < least]
  kept <- setdiff(names(sizes), small)
  if (length(kept) < 2L) {
    fail(
      "--group ", column, ": invariance takes two groups of ", least, " respondents or more, and ",
      "there are ", paste0(names(sizes), " (", sizes, ")", collapse = ", "), "."
    )
  }
  if (length(small) > 0L) {
    warning(
      "invariance over ", column, ": left out, since smaller than ", least, ": ",
      paste0(small, " (", sizes[small], ")", collapse = ", "), call. = FALSE
    )
  }
  if (any(!there)) {
    warning(
      "invariance over ", column, ": ", sum(!there), " respondents without an answer left out",
      call. = FALSE
    )
  }
  rows <- which(as.character(value) %in% kept)
  group <- factor(as.character(value[rows]), levels = kept)
  check_categories(take_rows(setup, rows), group, column)
  notes <- c(invariance = paste0(
    "Groups of ", column, ": ", paste0(kept, " (", sizes[kept], ")", collapse = ", "), ". ",
    if (setup$ordered) {
      paste(
        "Ordered items in the order of Wu & Estabrook (2016), delta parameterisation: thresholds,",
        "then loadings (metric), then intercepts of the latent responses (scalar). CFI and RMSEA",
        "are scaled, chi-square differences Satorra's (2000). "
      )
    } else {
      paste(
        "Loadings (metric), then intercepts (scalar) are held equal; chi-square differences of",
        "Satorra & Bentler (2010). "
      )
    },
    "A step holds where CFI falls by at most .010 and RMSEA rises by at most .015 (Chen 2007)."
  ))
  list(rows = rows, group = group, notes = notes)
}

check_categories <- function(setup, group, column) {
  for (item in unique(setup$members$item)) {
    x <- setup$data[[item]]
    if (!setup$ordered) {
      flat <- tapply(x, group, function(y) length(unique(y[!is.na(y)])) < 2L)
      if (any(flat)) {
        fail(
          "--group ", column, ": everybody in ", levels(group)[flat][[1L]], " gave ",
          setup$names[[item]], " the same answer; leave the item or the group out."
        )
      }
      next
    }
    empty <- which(table(x, group) == 0L, arr.ind = TRUE)
    if (nrow(empty) > 0L) {
      fail(
        "--group ", column, ": nobody in ", levels(group)[[empty[1L, 2L]]], " gave ",
        setup$names[[item]], " its answer number ", empty[1L, 1L], " of ",
        setup$categories[[item]],
        ", and WLSMV needs every answer in every group; use --estimator ML, or larger groups."
      )
    }
  }
}

# ---- split half ----

check_halves <- function(setup) {
  least <- 2L * max(min_respondents, ncol(setup$data) + 1L)
  if (nrow(setup$data) < least) {
    fail(
      "--split-half: ", nrow(setup$data), " respondents are too few for two halves; it takes ",
      least, " for ", ncol(setup$data), " items."
    )
  }
}

split_half <- function(setup, run, seed) {
  set.seed(
    seed, kind = "Mersenne-Twister", normal.kind = "Inversion", sample.kind = "Rejection"
  )
  n <- nrow(setup$data)
  first <- sort(sample.int(n, n %/% 2L))
  explored <- explore(take_rows(setup, first), nrow(run$factors), run)
  other <- take_rows(setup, -first)
  other$members <- explored$members
  other$names <- c(setup$names[names(setup$labels)], explored$names)
  model <- "second half"
  fit <- fit_model(other, model)
  check_solution(fit, other, model)
  loadings <- loading_table(fit, other, model)
  items <- explored$items
  items$loading_confirmed <- loadings$loading[match(items$item, loadings$item)]
  items$n_explored <- length(first)
  items$n_confirmed <- nrow(other$data)
  list(
    fit = fit_table(fit, other, model), loadings = loadings,
    factor_correlations = correlation_table(fit, other, model), items = items,
    notes = c(`split half` = sprintf(
      paste(
        "Explored on a random half (%d respondents, seed %d) by minres and oblimin with %d",
        "factors, confirmed on the other (%d). %d of %d items came to the scale they have in",
        "the run."
      ), length(first), seed, nrow(run$factors), nrow(other$data), sum(items$same), nrow(items)
    ))
  )
}

# Items to the factor they load on most, as psychoseg does it; a factor goes by the scale that it
# shares most items with.
explore <- function(setup, n_factors, run) {
  times <- if (is.null(setup$times)) rep(1L, nrow(setup$data)) else setup$times
  weights <- if (is.null(setup$weights)) times else setup$weights
  n_obs <- if (is.null(setup$weights)) sum(times) else sum(weights)^2 / sum(weights^2)
  kind <- if (setup$ordered) "polychoric" else "pearson"
  corr <- correlate(setup$data, kind, list(weights = weights))
  loadings <- extract(corr, n_factors, n_obs)$loadings
  size <- abs(loadings)
  best <- max.col(round(size, 9L), ties.method = "first")
  top <- size[cbind(seq_along(best), best)]
  min_loading <- run$study[["scales"]][["min_loading"]]
  best[top < if (is.null(min_loading)) 0.3 else min_loading] <- NA
  in_run <- stats::setNames(run$items$scale, run$items$item)[setup$names[rownames(loadings)]]
  named <- match_factors(best, in_run, n_factors)
  few <- tabulate(best, n_factors) < 2L
  if (any(few)) {
    warning(
      "first half: ", sum(few), " of ", n_factors, " factors have fewer than two items and are ",
      "not confirmed", call. = FALSE
    )
  }
  if (all(few)) fail("--split-half: no factor of the first half has two items; nothing to confirm.")
  confirmed <- which(!is.na(best) & !few[best])
  if (length(confirmed) == 2L) {
    fail("--split-half: the first half gives one scale of two items; nothing can be tested.")
  }
  codes <- sprintf("f%02d", seq_len(n_factors))
  second <- if (n_factors > 1L) {
    vapply(seq_along(top), function(i) max(size[i, -which.max(size[i, ])]), 0)
  } else {
    NA_real_
  }
  found <- ifelse(is.na(best), NA, named[best])
  list(
    members = data.frame(scale = codes[best], item = rownames(loadings))[confirmed, ],
    names = stats::setNames(named, codes),
    items = data.frame(
      item = unname(setup$names[rownames(loadings)]),
      label = unname(setup$labels[rownames(loadings)]), scale = unname(in_run),
      scale_explored = found, loading_explored = top, next_loading = second,
      same = (is.na(found) & is.na(unname(in_run))) | (found %in% in_run & !is.na(found) &
        !is.na(unname(in_run)) & found == unname(in_run))
    )
  )
}

match_factors <- function(best, in_run, n_factors) {
  shared <- table(factor(best, seq_len(n_factors)), in_run)
  named <- paste0("factor_", seq_len(n_factors))
  while (length(shared) > 0L && max(shared) > 0L) {
    at <- arrayInd(which.max(shared), dim(shared))
    named[[at[[1L]]]] <- colnames(shared)[[at[[2L]]]]
    shared[at[[1L]], ] <- -1L
    shared[, at[[2L]]] <- -1L
  }
  named
}

# ---- writing ----

note_fit <- function(fit) {
  c(
    `same respondents` = paste(
      "The scales were found on the same respondents, so this fit is flattering; --split-half",
      "and new data are the honest tests."
    ),
    if (model_df(fit) == 0) {
      c(`no test` = "The model has no degrees of freedom: it fits whatever was answered.")
    }
  )
}

# Written beside the target and renamed at the end: a call that dies leaves the earlier tables.
write_tables <- function(tables, out) {
  part <- file.path(dirname(out), sprintf(".%s.part-%d", basename(out), Sys.getpid()))
  if ((file.exists(out) && !dir.exists(out)) || !dir.create(part, showWarnings = FALSE)) {
    fail("cannot write ", out, ": it must be a folder, or free, in a folder that can be written.")
  }
  on.exit(unlink(part, recursive = TRUE))
  for (name in names(tables)) write_table(tables[[name]], file.path(part, paste0(name, ".csv")))
  unlink(out, recursive = TRUE)
  if (!file.rename(part, out)) fail("cannot write ", out, ".")
}

print_summary <- function(tables, out) {
  number <- function(x) sub("^(-?)0\\.", "\\1.", sprintf("%.3f", x))
  fit <- tables$fit[tables$fit$preferred, ]
  cat(sprintf(
    "%s (n = %d, %s, %s): chi-square %.1f, df %.0f, CFI %s, TLI %s, RMSEA %s [%s, %s], SRMR %s\n",
    fit$model, fit$n, fit$estimator, fit$version, fit$chi_square, fit$df, number(fit$cfi),
    number(fit$tli), number(fit$rmsea), number(fit$rmsea_low), number(fit$rmsea_high),
    number(fit$srmr)
  ), sep = "")
  own <- tables$loadings[tables$loadings$model == everybody, ]
  weak <- own[abs(own$loading) < 0.4, ]
  cat(sprintf(
    "standardised loadings %s to %s%s\n", number(min(own$loading)), number(max(own$loading)),
    if (nrow(weak) > 0L) paste("; below .4:", paste(weak$item, collapse = ", ")) else ""
  ))
  steps <- tables$invariance
  if (!is.null(steps)) {
    change <- sprintf(
      ", change %s and %s, chi-square difference p = %s: %s", number(steps$delta_cfi),
      number(steps$delta_rmsea), number(steps$delta_p),
      ifelse(steps$holds, "holds", "does not hold")
    )
    change[is.na(steps$holds)] <- ""
    cat(sprintf(
      "%s over %s: CFI %s, RMSEA %s%s\n", steps$level, steps$column, number(steps$cfi),
      number(steps$rmsea), change
    ), sep = "")
  }
  split <- tables$notes$note[tables$notes$topic == "split half"]
  if (length(split) > 0L) cat(split, "\n", sep = "")
  cat("wrote ", out, "\n", sep = "")
}

if (sys.nframe() == 0L) {
  run_script(
    main, usage, max_args = 1L, values = c("group", "estimator", "seed"), flags = "split-half"
  )
}
