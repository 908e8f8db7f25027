# Items -> scales in R's own packages: psych::polychoric, psych::fa, psych::alpha; the decisions of
# psychoseg/scales/.

fit_scales <- function(survey, settings) {
  wanted <- unlist(lapply(settings$scale, function(s) s$items))
  names <- sort(unique(if (is.null(wanted)) names(survey$items) else wanted))
  unknown <- setdiff(c(names, names(settings$names)), names(survey$items))
  if (length(unknown) > 0L) {
    fail(
      "[scales] names items that the survey does not have: ", paste(unknown, collapse = ", "), "."
    )
  }
  items <- keyed_items(survey)[names]
  n_obs <- effective_n(survey)
  check_items(items, n_obs)
  check_n_factors(settings, ncol(items))
  progress(
    survey$n_read, " respondents read, ", nrow(items), " kept; correlations of ", ncol(items),
    " items and the factors behind them"
  )
  corr <- correlate(items, settings$correlation, survey)
  precision <- pair_precision(items, survey$weights, settings$correlation)
  parallel <- parallel_analysis(corr, n_obs, precision, settings)
  m <- count_factors(corr, n_obs, precision, parallel, settings)
  found <- extract(corr, m, n_obs)
  keys <- if (length(settings$scale) > 0L) {
    reversed <- survey$variables$name[survey$variables$reversed]
    named_keys(settings, found$loadings, reversed)
  } else {
    found_keys(settings, found$loadings, survey)
  }
  found <- turn_factors(found, keys)
  scored <- lapply(keys, score, survey = survey, settings = settings)
  scores <- as.data.frame(
    stats::setNames(lapply(scored, `[[`, "scores"), vapply(keys, `[[`, "", "name"))
  )
  tables <- scale_tables(keys, scored, survey, found)
  factors <- paste0("F", seq_len(m))
  held <- vapply(seq_len(m), function(j) {
    name <- vapply(Filter(function(key) key$factor == j, keys), `[[`, "", "name")
    if (length(name) == 0L) "" else name[[1L]]
  }, "")
  list(
    table = tables$scales, items = tables$items, scores = scores, corr = corr,
    loadings = data.frame(item = names, found$loadings, check.names = FALSE),
    phi = data.frame(factor = factors, found$phi, check.names = FALSE),
    factors = data.frame(
      factor = factors, ss_loadings = found$ss, share = found$ss / length(names), scale = held
    ),
    eigenvalues = data.frame(
      component = seq_along(names), observed = parallel$observed, threshold = parallel$threshold,
      factor = parallel$reduced, factor_threshold = parallel$reduced_threshold,
      retained = seq_along(names) <= m
    )
  )
}

check_items <- function(items, n_obs) {
  if (ncol(items) < 3L) fail("scales take at least 3 items; there are ", ncol(items), ".")
  if (n_obs <= ncol(items)) {
    fail(
      "there are ", ncol(items), " items but only ", nrow(items), " respondents; use fewer items."
    )
  }
  constant <- names(items)[vapply(items, function(x) length(unique(x[!is.na(x)])) < 2L, logical(1))]
  if (length(constant) > 0L) {
    fail(
      "every respondent gave the same answer to ", paste(constant, collapse = ", "),
      "; leave it out of [[items]]."
    )
  }
}

correlate <- function(items, kind, survey) {
  weights <- survey$weights
  if (kind == "pearson") {
    corr <- stats::cov2cor(pairwise_covariance(items, weights, own_variance = TRUE))
  } else {
    corr <- polychoric(
      vapply(items, function(x) match(x, sort(unique(x))), integer(nrow(items))), weights
    )
  }
  dimnames(corr) <- list(names(items), names(items))
  if (anyNA(corr)) {
    fail(
      "some items cannot be correlated: nobody answered both, or one does not vary among ",
      "those who did."
    )
  }
  if (min(eigenvalues(corr)) < smoothing_floor) {
    warning(
      "the correlations are not positive definite and were smoothed (as by psych::cor.smooth)",
      call. = FALSE
    )
  }
  smooth_correlation(corr)
}

eigenvalues <- function(corr) eigen(corr, symmetric = TRUE, only.values = TRUE)$values

# The steps of psych::cor.smooth, which itself leaves eigenvalues between 2e-16 and its eig.tol
# alone.
smoothing_floor <- 1e-12
smooth_correlation <- function(corr, floor = smoothing_floor) {
  if (min(eigenvalues(corr)) >= floor) return(corr)
  parts <- eigen(corr, symmetric = TRUE)
  values <- ifelse(parts$values < floor, 100 * floor, parts$values)
  values <- values * length(values) / sum(values)
  smooth <- stats::cov2cor(parts$vectors %*% (values * t(parts$vectors)))
  dimnames(smooth) <- dimnames(corr)
  smooth
}

# psych::polychoric takes an item's thresholds from all of its answers, but without the weights; and
# where items have different numbers of categories it takes those of each pair. There psych's
# likelihood is maximised here, with weighted thresholds of the whole item. Empty cells stay empty
# (correct = 0).
polychoric <- function(ranks, weights) {
  n_codes <- apply(ranks, 2L, max, na.rm = TRUE)
  if (max(n_codes) > 20L) {
    fail(
      "an item has ", max(n_codes), " different answers; use correlation = \"pearson\" in [scales]."
    )
  }
  if (length(unique(n_codes)) == 1L && length(unique(weights)) == 1L) {
    return(psych::polychoric(
      ranks,
      smooth = FALSE, global = TRUE, correct = 0, progress = FALSE, max.cat = 20
    )$rho)
  }
  likelihood <- utils::getFromNamespace("polyF", "psych")
  count <- function(i, j) stats::xtabs(
    weights ~ factor(ranks[, i], seq_len(n_codes[[i]])) + factor(ranks[, j], seq_len(n_codes[[j]]))
  )
  thresholds <- lapply(seq_along(n_codes), function(i) {
    counts <- diag(as.matrix(count(i, i)))
    stats::qnorm(cumsum(counts)[-n_codes[[i]]] / sum(counts))
  })
  corr <- diag(length(n_codes))
  for (i in seq_along(n_codes)[-1L]) {
    for (j in seq_len(i - 1L)) {
      table <- count(i, j)
      best <- stats::optimize(
        likelihood, c(-1, 1),
        rc = thresholds[[i]], cc = thresholds[[j]], tab = unclass(table) / sum(table), tol = 1e-7
      )
      corr[i, j] <- corr[j, i] <- if (sum(table) > 0) best$minimum else NA_real_
    }
  }
  corr
}

# Covariances over the rows that answered both, divisor sum of weights - 1: cov(use = "pairwise") on
# repeated rows.
pairwise_covariance <- function(items, weights, own_variance = FALSE) {
  x <- as.matrix(items)
  p <- ncol(x)
  out <- matrix(0, p, p, dimnames = list(names(items), names(items)))
  for (i in seq_len(p)) {
    for (j in seq_len(i)) {
      both <- !is.na(x[, i]) & !is.na(x[, j])
      two <- stats::cov.wt(x[both, c(i, j)], weights[both] / sum(weights[both]), method = "ML")$cov
      total <- sum(weights[both])
      value <- two[1L, 2L] * total / (total - 1)
      if (own_variance && i != j) value <- stats::cov2cor(two)[1L, 2L]
      if (own_variance && i == j) value <- 1
      out[i, j] <- out[j, i] <- value
    }
  }
  out
}

# ---- how many factors: the rules of psychoseg/stats/dimension.py, which gives the reasons ----

# A pair of items that fewer than this share of people answered is treated as if so many had.
least_share <- 1e-3
# A factor solution with an item at its bound can imply a singular matrix, which has no root.
least_eigenvalue <- 1e-6
# A factor takes so many items that load highest on it, with so much at least.
least_items <- 3L
least_loading <- 0.3

# What is asked for and cannot be is said before the long work.
check_n_factors <- function(settings, n_items) {
  given <- settings$n_factors
  if (length(settings$scale) > 0L || given %in% c("auto", "parallel")) return(invisible())
  if (!is.numeric(given) || given < 1) {
    fail("[scales] n_factors = ", given, " is not \"auto\", \"parallel\" or a number from 1.")
  }
  if (given > n_items %/% 2L) {
    fail(
      "[scales] n_factors = ", given, " is too many for ", n_items, " items: at most ",
      n_items %/% 2L, "."
    )
  }
}

count_factors <- function(corr, n_obs, precision, parallel, settings) {
  if (length(settings$scale) > 0L) return(length(settings$scale))
  given <- settings$n_factors
  most <- ncol(corr) %/% 2L
  if (!given %in% c("auto", "parallel")) return(given)
  found <- if (given == "parallel") {
    parallel$n
  } else {
    recommend_factors(corr, n_obs, precision, settings)
  }
  if (found == 0L) {
    fail(
      "no factor stands out: the items correlate no more than unrelated ones would. Name the ",
      "scales in [[scales.scale]], or give n_factors in [scales]."
    )
  }
  min(found, most)
}

# The next eigenvalue sufficiency test counts, the empirical Kaiser criterion keeps out factors no
# larger than one item, and factors with too few items of their own are taken off.
recommend_factors <- function(corr, n_obs, precision, settings) {
  found <- next_eigenvalue(corr, n_obs, precision, settings)
  with_items_enough(corr, min(found, empirical_kaiser(eigenvalues(corr), n_obs)), n_obs)
}

# Leading values above their reference, up to the first that is not.
leading_above <- function(values, reference) sum(cumprod(values > reference))

# The root of each pair's information per person, relative to complete normal data: the share of
# people that answered both, times what their answer scales keep of a normal variable (Olsson 1979)
# where correlations are polychoric.
pair_precision <- function(items, weights, kind) {
  answered <- !is.na(as.matrix(items))
  share <- pmax(crossprod(answered * weights, answered) / sum(weights), least_share)
  if (kind == "polychoric") {
    kept <- vapply(items, category_variance, numeric(1), weights = weights)
    share <- share * outer(kept, kept)
  }
  sqrt(share)
}

# The variance between the categories of a normal variable cut at an item's thresholds.
category_variance <- function(item, weights) {
  there <- !is.na(item)
  mass <- tapply(weights[there], item[there], sum)
  share <- mass[mass > 0] / sum(mass)
  edges <- stats::qnorm(utils::head(cumsum(share), -1L))
  sum(diff(c(0, stats::dnorm(edges), 0))^2 / share)
}

# Horn's parallel analysis: eigenvalues of components, and of factors (the correlations with squared
# multiple correlations on the diagonal), beside those of unrelated items.
parallel_analysis <- function(corr, n_obs, precision, settings) {
  p <- ncol(corr)
  both <- function(corr) {
    corr <- smooth_correlation(corr)
    reduced <- corr
    diag(reduced) <- 1 - 1 / diag(solve(corr))
    c(eigenvalues(corr), eigenvalues(reduced))
  }
  observed <- both(corr)
  threshold <- random_quantiles(both, diag(p), n_obs, precision, settings)
  component <- seq_len(p)
  list(
    observed = observed[component], threshold = threshold[component],
    reduced = observed[-component], reduced_threshold = threshold[-component],
    n = leading_above(observed[component], threshold[component])
  )
}

# Do m = 0, 1, 2, ... factors suffice? Eigenvalue m + 1 beside those of data that have the first m
# minres factors and nothing else (Achim 2017). Imprecise answers work like unreliability: the
# sample's items correlate less, and their correlations are corrected for it afterwards.
next_eigenvalue <- function(corr, n_obs, precision, settings) {
  p <- ncol(corr)
  observed <- eigenvalues(corr)
  m <- 0L
  while (m < max(p %/% least_items, 1L) && (p - m)^2 >= p + m) {
    implied <- diag(p)
    if (m > 0L) {
      implied <- tcrossprod(counting_loadings(corr, m, n_obs, "none")) * precision
      diag(implied) <- 1
    }
    threshold <- random_quantiles(
      function(random) eigenvalues(smooth_correlation(random))[[m + 1L]],
      smooth_correlation(implied, least_eigenvalue), n_obs, precision, settings
    )
    if (observed[[m + 1L]] <= threshold) break
    m <- m + 1L
  }
  m
}

# The percentile of what `statistic` makes of the correlations of random data. Correlations of
# normal rows are Wishart matrices; `implied` are those of the rows times the precision.
random_quantiles <- function(statistic, implied, n_obs, precision, settings) {
  draws <- stats::rWishart(settings$replicates, n_obs - 1, implied)
  values <- apply(draws, 3L, function(draw) {
    random <- pmax(pmin(stats::cov2cor(draw) / precision, 1), -1)
    diag(random) <- 1
    statistic(random)
  })
  values <- matrix(values, ncol = settings$replicates)
  apply(values, 1L, stats::quantile, probs = settings$percentile / 100)
}

# The eigenvalue expected of the next component of unrelated items, given what the earlier ones
# took, and at least 1 (Braeken & van Assen 2017).
empirical_kaiser <- function(observed, n_obs) {
  p <- length(observed)
  share <- (p - c(0, cumsum(observed)[-p])) / rev(seq_len(p))
  leading_above(observed, pmax(share * (1 + sqrt(p / n_obs))^2, 1))
}

# While some factors have fewer items of their own than it takes, their number falls by half of
# these, rounded up. One factor stays.
with_items_enough <- function(corr, m, n_obs) {
  while (m > 1L) {
    size <- abs(counting_loadings(corr, m, n_obs, "promax"))
    own <- max.col(size, ties.method = "first")[apply(size, 1L, max) >= least_loading]
    small <- sum(tabulate(own, m) < least_items)
    if (small == 0L) break
    m <- max(m - (small + 1L) %/% 2L, 1L)
  }
  m
}

# Loadings to count by. That a factor too many fits badly is what is looked for, no news to the
# reader.
counting_loadings <- function(corr, m, n_obs, rotate) {
  fit <- suppressMessages(suppressWarnings(
    psych::fa(corr, nfactors = m, n.obs = n_obs, fm = "minres", rotate = rotate)
  ))
  unclass(fit$loadings)
}

# ---- extraction ----

# minres + oblimin; factors by explained variance, each turned so that its loadings sum positive.
extract <- function(corr, m, n_obs) {
  fit <- suppressMessages(
    psych::fa(
      corr, nfactors = m, n.obs = n_obs, fm = "minres", rotate = if (m > 1L) "oblimin" else "none"
    )
  )
  loadings <- unclass(fit$loadings)
  phi <- if (is.null(fit$Phi)) diag(m) else fit$Phi
  ss <- colSums(loadings * (loadings %*% phi))
  order <- order(-ss)
  turn <- ifelse(colSums(loadings) < 0, -1, 1)[order]
  loadings <- sweep(loadings[, order, drop = FALSE], 2L, turn, `*`)
  phi <- phi[order, order, drop = FALSE] * outer(turn, turn)
  dimnames(phi) <- list(NULL, paste0("F", seq_len(m)))
  dimnames(loadings) <- list(rownames(corr), paste0("F", seq_len(m)))
  list(
    loadings = loadings, phi = phi, ss = unname(ss[order]),
    communality = rowSums(loadings * (loadings %*% phi))
  )
}

# Turns each factor so that the items of its scale load positive in sum.
turn_factors <- function(found, keys) {
  turn <- rep(1, ncol(found$loadings))
  for (key in keys) {
    if (sum(found$loadings[names(key$signs), key$factor] * key$signs) < 0) turn[[key$factor]] <- -1
  }
  found$loadings <- sweep(found$loadings, 2L, turn, `*`)
  found$phi <- found$phi * outer(turn, turn)
  found
}

# ---- keys: which item belongs where, and with which sign relative to its declared reversal ----

named_keys <- function(settings, loadings, reversed) {
  # The survey already holds as declared reversals the reverse keys on which all scales agree.
  signs <- lapply(settings$scale, function(s) {
    own <- setdiff(s$reverse, reversed)
    stats::setNames(ifelse(s$items %in% own, -1, 1), s$items)
  })
  # Each scale takes the free factor that resembles it most (Tucker's congruence), best matches
  # first.
  congruence <- abs(vapply(signs, function(sign) {
    pattern <- ifelse(rownames(loadings) %in% names(sign), sign[rownames(loadings)], 0)
    colSums(pattern * loadings) / sqrt(sum(pattern^2) * colSums(loadings^2))
  }, numeric(ncol(loadings))))
  congruence <- matrix(congruence, ncol = length(signs))
  factor <- integer(length(signs))
  for (i in seq_along(signs)) {
    best <- arrayInd(which.max(congruence), dim(congruence))
    factor[[best[[2L]]]] <- best[[1L]]
    congruence[best[[1L]], ] <- congruence[, best[[2L]]] <- -1
  }
  labels <- vapply(settings$scale, `[[`, "", "name")
  slugs <- slug(labels)
  lapply(
    seq_along(signs),
    function(i) list(
      name = slugs[[i]], label = labels[[i]], factor = factor[[i]], signs = signs[[i]]
    )
  )
}

found_keys <- function(settings, loadings, survey) {
  size <- round(abs(loadings), 9L)
  best <- max.col(size, ties.method = "first")
  top <- size[cbind(seq_along(best), best)]
  weak <- rownames(loadings)[top < settings$min_loading]
  if (length(weak) > 0L) {
    warning(
      "in no scale, since they load below ", settings$min_loading, ": ",
      paste(weak, collapse = ", "), call. = FALSE
    )
  }
  keys <- list()
  for (j in seq_len(ncol(loadings))) {
    members <- which(best == j & top >= settings$min_loading)
    members <- members[order(-size[members, j])]
    if (length(members) < 2L) {
      warning(
        "factor F", j, " has ", length(members), " items of its own and is not made a scale",
        call. = FALSE
      )
      next
    }
    items <- rownames(loadings)[members]
    # RcppTOML sorts keys by name, so of several names for one scale the first by item counts.
    given <- unlist(settings$names)[intersect(names(settings$names), items)]
    # The item that gives the scale its name must not count against it.
    signs <- stats::setNames(ifelse(loadings[members, j] > 0, 1, -1), items)
    namer <- if (length(given) > 0L) intersect(names(settings$names), items)[[1L]] else items[[1L]]
    if (signs[[namer]] < 0) signs <- -signs
    label <- if (length(given) > 0L) given[[1L]] else leading_label(signs, survey$variables)
    keys[[length(keys) + 1L]] <- list(
      name = if (length(given) > 0L) given[[1L]] else paste("factor", j), label = label, factor = j,
      signs = signs
    )
  }
  if (length(keys) == 0L) {
    fail(
      "no factor has 2 items that load at least ", settings$min_loading,
      "; lower min_loading in [scales]."
    )
  }
  slugs <- slug(vapply(keys, `[[`, "", "name"))
  for (i in seq_along(keys)) keys[[i]]$name <- slugs[[i]]
  keys
}

# A found scale is called by the strongest item that people high on it agree with; by one they
# disagree with only where there is no other, and then it says so.
leading_label <- function(signs, variables) {
  at <- match(names(signs), variables$name)
  straight <- which((signs < 0) == variables$reversed[at])
  label <- variables$label[at[c(straight, 1L)[[1L]]]]
  if (length(straight) > 0L) label else paste("(reversed)", label)
}

slug <- function(text) {
  base <- gsub("^_+|_+$", "", gsub("[^0-9a-z]+", "_", tolower(text)))
  base[base == ""] <- "scale"
  numbered(base)
}

# ---- scores and tables ----

score <- function(key, survey, settings) {
  items <- keyed_items(survey)[sort(names(key$signs))]
  at <- match(names(items), survey$variables$name)
  low <- survey$variables$low[at]
  high <- survey$variables$high[at]
  for (j in which(key$signs[names(items)] < 0)) items[[j]] <- low[[j]] + high[[j]] - items[[j]]
  ends <- paste(low, high)
  if (length(unique(ends)) > 1L) {
    warning(
      "the items of the scale ", key$label,
      " have different answer scales; all were brought to one", call. = FALSE
    )
    common <- match(names(which.max(table(ends))), ends)
    for (j in seq_along(items)) {
      items[[j]] <- low[[common]] + (items[[j]] - low[[j]]) * (high[[common]] - low[[common]]) / (
        high[[j]] - low[[j]]
      )
    }
  }
  enough <- rowSums(!is.na(items)) >= max(1, ceiling(settings$min_answered * ncol(items) - 1e-9))
  # A sum with gaps is the mean of the answers times the number of items.
  times <- if (settings$score == "sum") ncol(items) else 1
  list(items = items, scores = ifelse(enough, rowMeans(items, na.rm = TRUE) * times, NA_real_))
}

scale_tables <- function(keys, scored, survey, found) {
  scales <- items <- NULL
  for (i in seq_along(keys)) {
    key <- keys[[i]]
    x <- scored[[i]]$items
    value <- scored[[i]]$scores
    there <- !is.na(value)
    # psych::alpha warns about the fit of a principal component that it looks at beside alpha.
    fit <- suppressMessages(suppressWarnings(
      psych::alpha(pairwise_covariance(x, survey$weights), check.keys = FALSE, warnings = FALSE)
    ))
    alpha <- fit$total$raw_alpha
    ends <- alpha_interval(as.matrix(x), survey$weights, survey$weight_kind != "sampling")
    about <- moments(value[there], survey$weights[there])
    scales <- rbind(scales, data.frame(
      scale = key$name, label = key$label, n_items = ncol(x), alpha = alpha,
      alpha_low = ends[[1L]],
      alpha_high = ends[[2L]], mean_r = fit$total$average_r, mean = about$mean,
      sd = about$sd, base = sum(there)
    ))
    for (name in names(key$signs)) {
      items <- rbind(items, item_row(
        survey, found, name, key$name, key$signs[[name]], key$factor,
        fit$item.stats[name, "r.drop"],
        if (ncol(x) > 2L) fit$alpha.drop[name, "raw_alpha"] else NA_real_
      ))
    }
  }
  for (name in setdiff(rownames(found$loadings), items$item)) {
    best <- which.max(abs(found$loadings[name, ]))
    items <- rbind(items, item_row(survey, found, name, "", 1, best, NA_real_, NA_real_))
  }
  list(scales = scales, items = items)
}

# The 95% interval of alpha that asks for no distribution: each respondent's influence on alpha
# through the covariances, over one minus their share in the variance of the sum (of complete answers
# the jackknife's), t with the degrees of freedom that the spread of the squares leaves. Reasons,
# coverage and literature: psychoseg/stats/alpha_interval.py. psych::alpha.ci is Feldt's, which holds
# the true value in 79% of samples where 79% of the answers are the top one.
alpha_interval <- function(x, weights, counts, level = 0.95) {
  p <- ncol(x)
  kept <- weights > 0 & rowSums(!is.na(x)) > 0L
  x <- x[kept, , drop = FALSE]
  w <- weights[kept]
  mass <- sum(w)
  one <- if (counts) rep(1, length(w)) else w # who is taken out
  if (nrow(x) == 0L || !mass > max(one)) return(c(NA_real_, NA_real_))
  cov <- pairwise_covariance(as.data.frame(x), w) * (1 - 1 / mass)
  total <- sum(cov)
  if (is.na(total) || !total > 0) return(c(NA_real_, NA_real_))
  trace <- sum(diag(cov))
  moved <- share <- numeric(nrow(x))
  for (i in seq_len(p)) {
    for (j in seq_len(p)) {
      both <- !is.na(x[, i]) & !is.na(x[, j])
      of_pair <- w[both] / sum(w[both])
      product <- (x[both, i] - sum(of_pair * x[both, i])) * (x[both, j] - sum(of_pair * x[both, j]))
      slope <- p / (p - 1) * (trace / total^2 - (i == j) / total)
      times <- mass / sum(w[both])
      moved[both] <- moved[both] + slope * times * (product - sum(of_pair * product))
      share[both] <- share[both] + times * product
    }
  }
  share <- pmin(one * share / (total * (mass - one)), 0.9)
  squares <- (one * moved / ((mass - one) * (1 - share)))^2
  copies <- if (counts) w else rep(1, length(w))
  variance <- sum(copies * squares)
  alpha <- p / (p - 1) * (1 - trace / total)
  if (!variance > 0) return(c(alpha, alpha))
  uneven <- sum(copies * squares^2) - variance^2 / sum(copies)
  freedom <- 2 * variance^2 / max(uneven, 1e-12 * variance^2)
  reach <- stats::qt((1 + level) / 2, freedom) * sqrt(variance)
  c(alpha - reach, min(alpha + reach, 1))
}

item_row <- function(survey, found, name, scale, sign, factor, item_rest, if_dropped) {
  variable <- survey$variables[survey$variables$name == name, ]
  x <- survey$items[[name]]
  about <- moments(x[!is.na(x)], survey$weights[!is.na(x)])
  data.frame(
    item = name, label = variable$label, scale = scale, key = as.integer(
      sign * if (variable$reversed) -1 else 1
    ),
    loading = found$loadings[name, factor] * sign, communality = found$communality[[name]],
    item_rest = item_rest,
    alpha_if_dropped = if_dropped, mean = about$mean, sd = about$sd, base = sum(!is.na(x))
  )
}

# Weighted mean and standard deviation, divisor the sum of weights.
moments <- function(x, weights) {
  mean <- sum(weights * x) / sum(weights)
  list(mean = mean, sd = sqrt(sum(weights * (x - mean)^2) / sum(weights)))
}
