# Scales -> lavaan models: confirmatory factor analysis, invariance over groups, split half.
#
# A setup is a list: data (i001, i002, ... keyed items, one row a respondent, sorted by id), weights
# (sampling weights, or NULL), times (frequency weights, or NULL), members (data frame: scale, item,
# the names that lavaan sees: s01, i001), ordered (whether the items are ordered categories),
# categories (of each item).
#
# lavaan's syntax takes no name such as "Frequency [Rock]": items and scales go by numbers in it.
#
# Literature: Satorra and Bentler (2010) and Satorra (2000) for the chi-square differences; Savalei
# (2021) for robust CFI and RMSEA of ordered items; Wu and Estabrook (2016) for the order of
# invariance of ordered items; Chen (2007) for what is a small loss of fit; Little, Lindenberger and
# Nesselroade (1999) for scales of two items; Rhemtulla, Brosseau-Liard and Savalei (2012) for
# ordered or continuous.

# Up to this many answers an item is ordered categories; with more, robust ML does as well.
max_categories <- 7L
# lavaan's weight matrix grows with the fourth power of the number of items: 60 five-point items
# take 30 MB a copy, 200 take 3 GB.
max_ordered_items <- 80L
# Chen (2007): a step of invariance is kept where CFI falls by no more, and RMSEA rises by no more.
max_cfi_loss <- 0.010
max_rmsea_rise <- 0.015
# Hu and Bentler (1999) ask for CFI .95 and RMSEA .06; below these laxer bounds a model misfits.
least_cfi <- 0.90
most_rmsea <- 0.08

equal_at <- list(
  ordered = list(
    configural = character(), thresholds = "thresholds", metric = c("thresholds", "loadings"),
    scalar = c("thresholds", "loadings", "intercepts")
  ),
  continuous = list(
    configural = character(), metric = "loadings", scalar = c("loadings", "intercepts")
  )
)

# ---- the model ----

# Standardised factors identify each model; what is held equal over groups sets the variances (then
# the means) of the factors free in all groups but the first. For ordered items, delta
# parameterisation, Wu and Estabrook's (2016) identification: once thresholds are equal, the
# intercepts and scales of the latent responses are free in all groups but the first.
model_syntax <- function(setup, n_groups = 1L, equal = character()) {
  later <- function(first) vector_of(c(first, rep("NA", n_groups - 1L)))
  label <- function(base, part) {
    vector_of(if (part %in% equal) rep(base, n_groups) else paste0(base, "_", seq_len(n_groups)))
  }
  lines <- vapply(split(setup$members, setup$members$scale), function(rows) {
    # The two loadings of a scale of two items are one number, else only other scales identify them.
    base <- if (nrow(rows) == 2L) rows$scale else paste0(rows$scale, rows$item)
    labels <- vapply(paste0("l_", base), label, "", part = "loadings")
    paste(rows$scale[[1L]], "=~", paste0(labels, "*", rows$item, collapse = " + "))
  }, "")
  scales <- unique(setup$members$scale)
  items <- unique(setup$members$item)
  if (n_groups > 1L) {
    if ("thresholds" %in% equal) {
      for (item in items) {
        cuts <- paste0("t", seq_len(setup$categories[[item]] - 1L))
        labels <- vapply(paste0(cuts, "_", item), label, "", part = "thresholds")
        lines <- c(lines, paste(item, "|", paste0(labels, "*", cuts, collapse = " + ")))
      }
      lines <- c(lines, paste0(items, " ~*~ ", later("1"), "*", items))
      shift <- if ("intercepts" %in% equal) vector_of(rep("0", n_groups)) else later("0")
      lines <- c(lines, paste0(items, " ~ ", shift, "*1"))
    } else if ("intercepts" %in% equal) {
      labels <- vapply(paste0("n_", items), label, "", part = "intercepts")
      lines <- c(lines, paste0(items, " ~ ", labels, "*1"))
    }
    if ("loadings" %in% equal) lines <- c(lines, paste0(scales, " ~~ ", later("1"), "*", scales))
    if ("intercepts" %in% equal) lines <- c(lines, paste0(scales, " ~ ", later("0"), "*1"))
  }
  paste(lines, collapse = "\n")
}

vector_of <- function(values) paste0("c(", paste(values, collapse = ", "), ")")

fit_model <- function(setup, what, group = NULL, equal = character()) {
  data <- setup$data[unique(setup$members$item)]
  holes <- anyNA(data)
  data$weight <- setup$weights
  data$group <- group
  if (!is.null(setup$times)) data <- data[rep(seq_len(nrow(data)), setup$times), , drop = FALSE]
  estimator <- if (setup$ordered) "WLSMV" else "MLR"
  args <- list(
    model = model_syntax(setup, if (is.null(group)) 1L else nlevels(group), equal), data = data,
    estimator = estimator, std.lv = TRUE, meanstructure = TRUE,
    ordered = if (setup$ordered) unique(setup$members$item) else FALSE,
    group = if (!is.null(group)) "group", group.label = levels(group),
    sampling.weights = if (!is.null(setup$weights)) "weight",
    missing = if (!holes) "listwise" else if (setup$ordered) "pairwise" else "ml"
  )
  fit <- tryCatch(
    # By name, since lavaan looks at what it was called as.
    in_words(
      do.call("cfa", args[!vapply(args, is.null, logical(1))], envir = asNamespace("lavaan")),
      setup, what
    ),
    error = function(e) {
      fail(what, ": lavaan cannot fit it (", in_names(conditionMessage(e), setup), ").")
    }
  )
  if (!lavaan::lavInspect(fit, "converged")) {
    fail(
      what, ": lavaan finds no solution in ", lavaan::lavInspect(fit, "iterations"),
      " iterations; ",
      "leave out scales that hardly hold together, or use larger groups."
    )
  }
  fit
}

# lavaan's warnings, each with the model it is about and the items by their own names.
in_words <- function(expr, setup, what) {
  withCallingHandlers(expr, warning = function(w) {
    warning(what, ": ", in_names(conditionMessage(w), setup), call. = FALSE)
    invokeRestart("muffleWarning")
  })
}

in_names <- function(text, setup) {
  text <- one_line(gsub("lavaan (WARNING|ERROR):", "", text))
  for (code in names(setup$names)) {
    text <- gsub(code, setup$names[[code]], text, fixed = TRUE)
  }
  text
}

# ---- tables ----

# One row a version: standard; scaled (Satorra-Bentler, Yuan-Bentler or, for WLSMV, mean and
# variance adjusted); robust (its CFI, TLI, RMSEA beside the scaled chi-square). SRMR leaves means
# out, as for a model of covariances alone.
fit_table <- function(fit, setup, model) {
  all <- lavaan::fitMeasures(fit)
  rows <- lapply(c(standard = "", scaled = ".scaled", robust = ".robust"), function(ending) {
    test <- if (ending == "") "" else ".scaled"
    get <- function(name, ending) {
      if (paste0(name, ending) %in% names(all)) all[[paste0(name, ending)]] else NA_real_
    }
    data.frame(
      chi_square = get("chisq", test), df = get("df", test), p = get("pvalue", test),
      cfi = get("cfi", ending), tli = get("tli", ending), rmsea = get("rmsea", ending),
      rmsea_low = get("rmsea.ci.lower", ending), rmsea_high = get("rmsea.ci.upper", ending)
    )
  })
  table <- cbind(
    data.frame(
      model = model, estimator = if (setup$ordered) "WLSMV" else "MLR", version = names(rows),
      n = lavaan::lavInspect(fit, "ntotal")
    ),
    do.call(rbind, rows),
    srmr = all[[if (setup$ordered) "srmr" else "srmr_bentler_nomean"]]
  )
  rownames(table) <- NULL
  table$rmsea_level <- 0.90
  whole <- !is.na(table$cfi) & !is.na(table$rmsea)
  table$preferred <- seq_len(3L) == if (any(whole)) max(which(whole)) else 2L
  table[whole | table$version != "robust", ]
}

loading_table <- function(fit, setup, model) {
  all <- lavaan::standardizedSolution(fit, level = 0.95)
  all <- all[all$op == "=~", ]
  communality <- lavaan::lavInspect(fit, "rsquare")
  data.frame(
    model = model, scale = unname(setup$names[all$lhs]), item = unname(setup$names[all$rhs]),
    label = unname(setup$labels[all$rhs]), loading = all$est.std, se = all$se, low = all$ci.lower,
    high = all$ci.upper, p = all$pvalue, r_square = unname(communality[all$rhs])
  )
}

correlation_table <- function(fit, setup, model) {
  all <- lavaan::standardizedSolution(fit, level = 0.95)
  scales <- unique(setup$members$scale)
  all <- all[all$op == "~~" & all$lhs %in% scales & all$lhs != all$rhs, ]
  data.frame(
    model = rep(model, nrow(all)), scale_1 = unname(setup$names[all$lhs]),
    scale_2 = unname(setup$names[all$rhs]), r = all$est.std, se = all$se, low = all$ci.lower,
    high = all$ci.upper
  )
}

# What a solution must not hold: residual variances below 0, correlations of scales beyond 1.
check_solution <- function(fit, setup, what) {
  all <- suppressWarnings(lavaan::standardizedSolution(fit))
  scales <- unique(setup$members$scale)
  own <- all$op == "~~" & all$lhs == all$rhs & !all$lhs %in% scales & all$est.std < 0
  pair <- all$op == "~~" & all$lhs != all$rhs & abs(all$est.std) > 1
  if (any(own)) {
    warning(
      what, ": negative residual variance (Heywood case) of ",
      paste(unique(setup$names[all$lhs[own]]), collapse = ", "), call. = FALSE
    )
  }
  if (any(pair)) {
    warning(
      what, ": correlation beyond 1 of ", paste(
        setup$names[all$lhs[pair]], "and", setup$names[all$rhs[pair]], collapse = "; "
      ), "; they are one scale to these respondents", call. = FALSE
    )
  }
}

# ---- invariance ----

# What is held equal step by step.
invariance_levels <- function(setup) {
  levels <- equal_at[[if (setup$ordered) "ordered" else "continuous"]]
  # Wu and Estabrook (2016): with two answers no part can be tested alone.
  two <- setup$ordered && min(setup$categories[unique(setup$members$item)]) == 2L
  if (two) levels[c("configural", "scalar")] else levels
}

# How many times the seconds of the scales themselves a model of groups takes, its measures and its
# chi-square difference included: measured with 25 items of 900 respondents in two groups.
invariance_cost <- function(setup) if (setup$ordered) 2.4 else 1.6

# Chi-square differences: Satorra (2000) for WLSMV, Satorra and Bentler (2010) for MLR, whose 2001
# form can be negative. CFI and RMSEA: scaled for WLSMV, whose robust ones are not made for models
# with free scales; robust for MLR. SRMR with means, since the last step is about them.
fit_invariance <- function(setup, group) {
  levels <- invariance_levels(setup)
  if (setup$ordered && length(levels) < length(equal_at$ordered)) {
    warning(
      "invariance: items with two answers tell nothing of thresholds or loadings alone; ",
      "all is held equal in one step", call. = FALSE
    )
  }
  fits <- lapply(names(levels), function(level) {
    progress(level, " invariance")
    fit <- fit_model(setup, paste(level, "invariance"), group, levels[[level]])
    check_solution(fit, setup, paste(level, "invariance"))
    fit
  })
  progress("their measures of fit and differences")
  all <- lapply(fits, lavaan::fitMeasures)
  robust <- !setup$ordered && !anyNA(vapply(all, function(m) m["cfi.robust"], 0)) &&
    !anyNA(vapply(all, function(m) m["rmsea.robust"], 0))
  version <- if (robust) "robust" else "scaled"
  get <- function(name, version) {
    vapply(all, function(m) m[[paste0(name, if (nzchar(version)) ".", version)]], 0)
  }
  steps <- lapply(seq_along(fits)[-1L], function(i) {
    chi_square_difference(fits[[i]], fits[[i - 1L]], setup, names(levels)[[i]])
  })
  steps <- do.call(rbind, c(list(c(NA_real_, NA_real_, NA_real_)), steps))
  change <- function(x) c(NA_real_, diff(x))
  table <- data.frame(
    level = names(levels),
    held_equal = vapply(levels, paste, "", collapse = " + "),
    groups = nlevels(group), n = vapply(fits, lavaan::lavInspect, 0, what = "ntotal"),
    version = version, chi_square_standard = get("chisq", ""),
    chi_square = get("chisq", "scaled"), df = get("df", "scaled"),
    p = get("pvalue", "scaled"), cfi = get("cfi", version), tli = get("tli", version),
    rmsea = get("rmsea", version), rmsea_low = get("rmsea.ci.lower", version),
    rmsea_high = get("rmsea.ci.upper", version), srmr = get("srmr", "")
  )
  table <- cbind(
    table,
    delta_chi_square = steps[, 1L], delta_df = steps[, 2L], delta_p = steps[, 3L],
    delta_cfi = change(table$cfi), delta_rmsea = change(table$rmsea),
    delta_srmr = change(table$srmr)
  )
  if (table$cfi[[1L]] < least_cfi || table$rmsea[[1L]] > most_rmsea) {
    warning(
      "invariance: the configural model itself does not fit (",
      sprintf("CFI %.3f, RMSEA %.3f", table$cfi[[1L]], table$rmsea[[1L]]),
      "), so steps that hold say little", call. = FALSE
    )
  }
  table$holds <- table$delta_cfi >= -max_cfi_loss & table$delta_rmsea <= max_rmsea_rise
  rownames(table) <- NULL
  table
}

chi_square_difference <- function(narrow, wide, setup, level) {
  df <- model_df(narrow) - model_df(wide)
  # Items of three answers have as many thresholds as the step sets free: there is nothing to test.
  if (df == 0) return(c(0, 0, NA_real_))
  method <- if (setup$ordered) "satorra.2000" else "satorra.bentler.2010"
  test <- in_words(
    lavaan::lavTestLRT(wide, narrow, method = method), setup, paste(level, "invariance")
  )
  unname(unlist(test[2L, c("Chisq diff", "Df diff", "Pr(>Chisq)")]))
}

# fitMeasures() knows it as well, and takes a hundred times as long.
model_df <- function(fit) lavaan::lavInspect(fit, "test")[["standard"]][["df"]]
