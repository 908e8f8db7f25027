# What the R engine asks of R. Read once by r_worker.py; every function takes and returns plain
# doubles, and says nothing except through stop() and warning().

# Call `what` and return list(status, message, warnings, values): R's errors and warnings as text.
ask <- function(what, packages, args) {
  absent <- packages[!nzchar(vapply(packages, \(p) system.file(package = p), ""))]
  if (length(absent) > 0) {
    return(list(status = "absent", message = absent, warnings = character(), values = list()))
  }
  warned <- character()
  answer <- tryCatch(
    withCallingHandlers(
      {
        lapply(packages, loadNamespace)
        list(status = "ok", message = "", values = lapply(do.call(what, args), as_plain))
      },
      warning = function(w) {
        warned <<- unique(c(warned, conditionMessage(w)))
        invokeRestart("muffleWarning")
      },
      message = function(m) invokeRestart("muffleMessage")
    ),
    error = function(e) list(status = "error", message = conditionMessage(e), values = list())
  )
  c(answer, list(warnings = warned))
}

# Whole numbers and logicals become doubles here, so that R's integer NA cannot arrive as
# -2147483648.
as_plain <- function(value) {
  if (is.character(value)) {
    return(ifelse(is.na(value), "", enc2utf8(value)))
  }
  value <- unclass(value)
  storage.mode(value) <- "double"
  value
}

correlate_plain <- function(x, kind) {
  list(corr = stats::cor(x, use = "pairwise.complete.obs", method = kind))
}

# Weighted Pearson correlation over pairwise complete rows: means and variances are those of the
# pair's own rows. psych::cor.wt centres each item on all of its rows and divides by the weights of
# everybody, answered or not, so with missing answers it is another quantity.
correlate_pearson_weighted <- function(x, weights) {
  answered <- !is.na(x)
  middle <- colSums(x * weights, na.rm = TRUE) / colSums(answered * weights)
  x <- sweep(x, 2, ifelse(is.finite(middle), middle, 0))
  x[!answered] <- 0
  total <- crossprod(answered * weights, answered)
  means <- crossprod(x * weights, answered) / total
  variances <- crossprod(x^2 * weights, answered) / total - means^2
  covariances <- crossprod(x * weights, x) / total - means * t(means)
  # Rounding leaves about 1e-16 of a variance that is zero.
  spread <- crossprod(x^2 * weights, answered) / total
  variances[!(variances > 1e-12 * spread)] <- NA
  corr <- covariances / sqrt(variances * t(variances))
  corr <- pmin(pmax(corr, -1), 1)
  diag(corr)[!is.na(diag(corr))] <- 1
  list(corr = corr)
}

# Weighted Pearson correlations of weighted midranks, the ranks among the pair's own rows.
correlate_spearman_weighted <- function(x, weights) {
  corr <- matrix(NA_real_, ncol(x), ncol(x))
  for (i in seq_len(ncol(x))) {
    for (j in seq_len(i)) {
      both <- !is.na(x[, i]) & !is.na(x[, j])
      if (any(both)) {
        w <- weights[both]
        ranks <- cbind(midranks(x[both, i], w), midranks(x[both, j], w))
        corr[i, j] <- corr[j, i] <- correlate_pearson_weighted(ranks, w)$corr[1, 2]
      }
    }
  }
  diag(corr)[!is.na(diag(corr))] <- 1
  list(corr = corr)
}

# The weight below a value and half of the weight at it: rank() for weights of one, but for a
# constant.
midranks <- function(values, weights) {
  place <- match(values, sort(unique(values)))
  mass <- weighted_counts(place, max(place), weights)
  (cumsum(mass) - mass / 2)[place]
}

# Maximum likelihood under normality from all answers there are. lavaan's EM stops at a change of
# the raw moments, so the items are standardised first, and the change is small.
correlate_em <- function(x) {
  corr <- matrix(NA_real_, ncol(x), ncol(x))
  spread <- apply(x, 2, stats::sd, na.rm = TRUE)
  usable <- which(is.finite(spread) & spread > 0)
  diag(corr)[usable] <- 1
  if (length(usable) > 1) {
    z <- scale(x[, usable])
    z <- as.data.frame(z[rowSums(!is.na(z)) > 0, ])
    names(z) <- paste0("item", usable)
    found <- unclass(lavaan::lavCor(
      z,
      missing = "fiml", output = "cor",
      em.h1.iter.max = 10000, em.h1.tol = 1e-9, em.h1.warn = TRUE
    ))
    # lavaan adds a little to the diagonal where items depend on one another, and goes on.
    if (min(eigen(found, symmetric = TRUE, only.values = TRUE)$values) < 1e-6) {
      stop(
        "the items depend on one another (a duplicate, a sum score, or fewer rows than items), so ",
        "that EM has no maximum; leave one out, or use pairwise correlations"
      )
    }
    corr[usable, usable] <- found
  }
  list(corr = corr)
}

# Two-step polychoric correlations: an item's thresholds from all of its own (weighted) answers;
# without correction of empty cells this is psych::polychoric(global = TRUE). psych itself computes
# it where it can: it takes thresholds without the weights, leaves this definition (global = FALSE,
# thresholds of the pair, 0.5 in empty cells) where items have different numbers of categories, and
# corrects nothing within it. There its own likelihood, psych:::polyF, is maximised under the same
# definition.
correlate_polychoric <- function(x, weights, correction) {
  codes <- matrix(apply(x, 2, \(v) match(v, sort(unique(v)))), nrow(x))
  n_codes <- apply(codes, 2, \(v) max(0, v, na.rm = TRUE))
  corr <- matrix(NA_real_, ncol(x), ncol(x))
  usable <- which(n_codes > 1)
  diag(corr)[usable] <- 1
  if (length(usable) > 1) {
    part <- codes[, usable, drop = FALSE]
    same <- length(unique(n_codes[usable])) == 1 && max(weights) == min(weights)
    # psych takes a 2 by 2 matrix of answers for a table of counts.
    corr[usable, usable] <- if (same && nrow(x) > 2 && correction == 0) {
      psych::polychoric(
        part,
        smooth = FALSE, global = TRUE, progress = FALSE, max.cat = max(n_codes)
      )$rho
    } else {
      polychoric_pairs(part, n_codes[usable], weights, correction)
    }
  }
  list(corr = corr)
}

polychoric_pairs <- function(codes, n_codes, weights, correction) {
  likelihood <- utils::getFromNamespace("polyF", "psych")
  p <- ncol(codes)
  thresholds <- lapply(seq_len(p), \(j) {
    counts <- weighted_counts(codes[, j], n_codes[j], weights)
    stats::qnorm(cumsum(counts)[-n_codes[j]] / sum(counts))
  })
  corr <- diag(p)
  for (i in seq_len(p)[-1]) {
    for (j in seq_len(i - 1)) {
      cell <- codes[, i] + (codes[, j] - 1) * n_codes[i]
      table <- matrix(weighted_counts(cell, n_codes[i] * n_codes[j], weights), n_codes[i])
      table <- corrected(table, correction)
      corr[i, j] <- corr[j, i] <- if (sum(table) > 0) {
        # optimize's own tolerance, 1.2e-4, leaves errors of 2e-5 in the correlations of psych::bfi.
        stats::optimize(
          likelihood, c(-1, 1),
          rc = thresholds[[i]], cc = thresholds[[j]], tab = table / sum(table), tol = 1e-7
        )$minimum
      } else {
        NA
      }
    }
  }
  corr
}

# A 2 x 2 table with one empty cell has it raised to the correction, its margins kept: what lavaan
# does by default (zero.add = .5, zero.keep.margins = TRUE).
corrected <- function(table, correction) {
  a <- rowSums(table) > 0
  b <- colSums(table) > 0
  part <- table[a, b, drop = FALSE]
  if (correction > 0 && all(dim(part) == 2) && sum(part == 0) == 1) {
    along <- part == 0 | (part == 0)[2:1, 2:1]
    table[a, b] <- part + ifelse(along, correction, -correction)
  }
  table
}

weighted_counts <- function(code, n_codes, weights) {
  sums <- rowsum(weights[!is.na(code)], code[!is.na(code)])
  counts <- numeric(n_codes)
  counts[as.integer(rownames(sums))] <- sums
  counts
}

# Polychoric, Pearson and polyserial correlations by what the pair's items are.
correlate_mixed <- function(x, weights, is_ordinal, correction) {
  corr <- matrix(NA_real_, ncol(x), ncol(x))
  ordinal <- which(is_ordinal == 1)
  continuous <- which(is_ordinal == 0)
  part <- function(columns) x[, columns, drop = FALSE]
  if (length(ordinal) > 0) {
    corr[ordinal, ordinal] <- correlate_polychoric(part(ordinal), weights, correction)$corr
  }
  if (length(continuous) > 0) {
    corr[continuous, continuous] <- correlate_pearson_weighted(part(continuous), weights)$corr
  }
  varying <- !is.na(diag(corr))
  for (i in continuous[varying[continuous]]) {
    for (j in ordinal[varying[ordinal]]) {
      corr[i, j] <- corr[j, i] <- polyserial(x[, i], x[, j], weights)
    }
  }
  list(corr = corr)
}

# Two-step maximum likelihood: mean, variance and thresholds from all of their own answers. In base
# R, for psych's and polycor's polyserial are a ratio of moments or maximise over thresholds too,
# and lavaan 0.6-14's search may end off the maximum (.1260 for age and A2 of psychTools' bfi, where
# the maximum is at .1217).
polyserial <- function(measured, ordinal, weights) {
  both <- !is.na(measured) & !is.na(ordinal)
  if (!any(both)) {
    return(NA_real_)
  }
  own <- !is.na(measured)
  middle <- stats::weighted.mean(measured[own], weights[own])
  spread <- sqrt(stats::weighted.mean((measured[own] - middle)^2, weights[own]))
  code <- match(ordinal, sort(unique(ordinal)))
  counts <- weighted_counts(code, max(code, na.rm = TRUE), weights)
  cuts <- c(-Inf, stats::qnorm(cumsum(counts)[-length(counts)] / sum(counts)), Inf)
  z <- (measured[both] - middle) / spread
  low <- cuts[code[both]]
  high <- cuts[code[both] + 1]
  share <- weights[both] / sum(weights[both])
  surprise <- function(rho) {
    rest <- sqrt(1 - rho^2)
    cell <- stats::pnorm((high - rho * z) / rest) - stats::pnorm((low - rho * z) / rest)
    # A difference of two shares is no better than their rounding.
    -sum(share * log(pmax(cell, 1e-15)))
  }
  stats::optimize(surprise, c(-1, 1), tol = 1e-7)$minimum
}

# `target` is NA where a loading is free, and everywhere for the rotations that take none.
factor_analysis <- function(
    corr, target, n_factors, method, rotation, n_obs, kaiser, gamma, delta, power) {
  # psych takes what it does not recognise as a correlation matrix for raw answers.
  if (!psych::isCorrelation(corr)) {
    stop(
      "this is not a correlation matrix: it must be square and symmetric, with ones on its ",
      "diagonal and nothing beyond -1 and 1"
    )
  }
  whole <- method != "components" && rotation == "oblimin" && gamma == 0 && kaiser == 0
  fit <- extracted(corr, n_factors, method, if (whole) "oblimin" else "none", n_obs)
  if (!(whole || rotation == "none")) {
    axes <- in_order_of_extraction(unclass(fit$loadings), fit$uniquenesses, method)
    turned <- rotated(axes, target, rotation, kaiser == 1, gamma, delta, power)
    fit$loadings <- turned$loadings
    fit$Phi <- turned$Phi
  }
  if (!all(is.finite(fit$loadings))) {
    stop("the loadings are not numbers; try fewer factors, or another extraction or rotation")
  }
  phi <- if (is.null(fit$Phi)) diag(n_factors) else fit$Phi
  list(loadings = fit$loadings, phi = phi, uniquenesses = fit$uniquenesses)
}

extracted <- function(corr, n_factors, method, rotation, n_obs) {
  if (method == "components") {
    return(psych::principal(
      corr,
      nfactors = n_factors, n.obs = n_obs, rotate = "none", scores = FALSE
    ))
  }
  fm <- c(minres = "minres", ml = "ml", principal_axes = "pa")[[method]]
  fit <- withCallingHandlers(
    psych::fa(
      corr,
      nfactors = n_factors, n.obs = n_obs, fm = fm, rotate = rotation, scores = "none"
    ),
    # psych::fa goes on with another rotation, or with what it had before it failed; another answer.
    warning = function(w) {
      if (grepl("Promax was used instead", conditionMessage(w), fixed = TRUE)) {
        stop("the ", rotation, " rotation of ", n_factors, " factors failed", call. = FALSE)
      }
      if (grepl("imaginary", conditionMessage(w), fixed = TRUE)) {
        stop(
          "an eigenvalue of the first ", n_factors, " is negative; try fewer factors or minres",
          call. = FALSE
        )
      }
    }
  )
  if (!has_converged(fit, method)) {
    warning(
      method, " did not converge for ", n_factors, " factors; try fewer factors",
      call. = FALSE
    )
  }
  fit
}

# psych::fa does not return whether it converged.
has_converged <- function(fit, method) {
  if (method == "principal_axes") {
    sums <- fit$communality.iterations
    most <- 50 # max.iter and min.err of psych::fa
    return(length(sums) < most || abs(diff(utils::tail(sums, 2))) <= 0.001)
  }
  # `communalities` is what the optimiser ended with, `communality` what the loadings imply; their
  # difference is the gradient of the criterion.
  low <- 0.005 # the bounds of a uniqueness in psych::fa
  high <- 1
  uniqueness <- 1 - fit$communalities
  inside <- uniqueness > low + 1e-8 & uniqueness < high - 1e-8
  gradient <- abs(fit$communality - fit$communalities)[inside]
  # bfi with 1 to 8 factors leaves at most 1e-4.
  !any(gradient > 1e-3)
}

# psych::fa orders factors by their sums of squares. That is the order of extraction but for maximum
# likelihood, whose eigenvalues are those of the items over the roots of their uniquenesses. The
# order decides which factor is the general one of a bifactor rotation.
in_order_of_extraction <- function(loadings, uniquenesses, method) {
  if (method != "ml") {
    return(loadings)
  }
  loadings[, order(colSums(loadings^2 / uniquenesses), decreasing = TRUE), drop = FALSE]
}

# The rotations that psychoseg's own `rotate` names as its references. A gradient of 1e-5, where
# GPArotation stops by itself, leaves loadings of bfi up to 4e-4 from a flat optimum.
rotated <- function(axes, target, rotation, kaiser, gamma, delta, power) {
  gpa <- function(rotate, ...) rotate(axes, normalize = kaiser, eps = 1e-6, maxit = 5000, ...)
  switch(rotation,
    varimax = gpa(GPArotation::Varimax),
    quartimax = gpa(GPArotation::quartimax),
    equamax = gpa(GPArotation::cfT, kappa = ncol(axes) / (2 * nrow(axes))),
    geomin_t = gpa(GPArotation::geominT, delta = delta),
    target_t = gpa(GPArotation::targetT, Target = target, Tmat = towards(axes, target, kaiser)),
    bifactor_t = gpa(GPArotation::bifactorT),
    promax = promax(axes, kaiser, power),
    oblimin = gpa(GPArotation::oblimin, gam = gamma),
    quartimin = gpa(GPArotation::quartimin),
    geomin_q = gpa(GPArotation::geominQ, delta = delta),
    target_q = gpa(GPArotation::targetQ, Target = target),
    bifactor_q = gpa(GPArotation::bifactorQ),
    stop("there is no rotation ", rotation)
  )
}

# Where to start: a target without free loadings has a known optimum (Schonemann 1966), which may be
# a reflection, and those cannot be reached from the identity.
towards <- function(axes, target, kaiser) {
  if (anyNA(target)) {
    return(diag(ncol(axes)))
  }
  rows <- if (kaiser) sqrt(rowSums(axes^2)) else 1
  parts <- svd(crossprod(axes / rows, target))
  parts$u %*% t(parts$v)
}

# psych's two kinds of promax. Their stats::varimax stops early, and stays where it is when it
# starts at the optimum.
promax <- function(axes, kaiser, power) {
  start <- GPArotation::Varimax(axes, normalize = TRUE, eps = 1e-6, maxit = 5000)
  start <- unclass(start$loadings)
  if (kaiser) {
    psych::kaiser(start, rotate = "Promax", pro.m = power)
  } else {
    psych::Promax(start, m = power)
  }
}

# `x` holds coordinates, or where `given` is 1 distances.
tree_hclust <- function(x, weights, method, given) {
  by_hclust(stats::hclust, x, weights, method, given)
}

tree_fastcluster <- function(x, weights, method, given) {
  by_hclust(fastcluster::hclust, x, weights, method, given)
}

# Centroid is defined on squared distances (?hclust); its heights go back to their scale.
by_hclust <- function(hclust, x, weights, method, given) {
  if (method == "ward.D2") {
    distances <- weighted_distances(x, weights)
  } else {
    distances <- distances_of(x, given)
  }
  if (method == "centroid") {
    tree <- hclust(distances^2, method, members = weights)
    # Rounding may leave a height of -1e-17 where points are alike.
    tree$height <- sqrt(pmax(tree$height, 0))
    return(merges(tree))
  }
  hclust(distances, method, members = weights) |> merges()
}

distances_of <- function(x, given) if (given == 1) stats::as.dist(x) else stats::dist(x)

# The ward.D2 update holds for clusters of any size when the first distances are on its own scale,
# sqrt(2 a b / (a + b)) times the distance of the centres.
weighted_distances <- function(x, weights) {
  distances <- stats::dist(x)
  n <- nrow(x)
  end <- 0
  # Column by column: a second n by n matrix would double the memory.
  for (j in seq_len(n - 1)) {
    below <- (j + 1):n
    part <- end + seq_along(below)
    factor <- 2 * weights[j] * weights[below] / (weights[j] + weights[below])
    distances[part] <- distances[part] * sqrt(factor)
    end <- end + n - j
  }
  distances
}

tree_agnes <- function(x, weights, method, given) {
  cluster::agnes(
    distances_of(x, given),
    diss = TRUE, method = method, keep.diss = FALSE, keep.data = FALSE
  ) |>
    stats::as.hclust() |>
    merges()
}

tree_diana <- function(x, weights, method, given) {
  cluster::diana(distances_of(x, given), diss = TRUE, keep.diss = FALSE, keep.data = FALSE) |>
    stats::as.hclust() |>
    merges()
}

# k = 1 spares the silhouette of a cut that nobody asked for.
tree_hcut <- function(x, weights, method, given) {
  distances <- distances_of(x, given)
  if (method == "diana") {
    tree <- factoextra::hcut(distances, k = 1, isdiss = TRUE, hc_func = "diana")
    return(merges(stats::as.hclust(tree)))
  }
  if (method == "centroid") distances <- distances^2
  tree <- factoextra::hcut(
    distances,
    k = 1, isdiss = TRUE, hc_func = "hclust", hc_method = method
  )
  if (method == "centroid") tree$height <- sqrt(pmax(tree$height, 0))
  merges(tree)
}

flat_pam <- function(x, k, given, starts, seed) {
  list(labels = cluster::pam(distances_of(x, given), k, diss = TRUE, cluster.only = TRUE))
}

flat_kmeans <- function(x, k, given, starts, seed) {
  set.seed(seed)
  list(labels = stats::kmeans(x, k, iter.max = 1000, nstart = starts)$cluster)
}

merges <- function(tree) list(merge = tree$merge, height = tree$height)

# Versions as text, "" for a package that is not there.
versions <- function(packages) {
  version <- function(p) {
    if (nzchar(system.file(package = p))) as.character(utils::packageVersion(p)) else ""
  }
  list(
    r = paste(R.version$major, R.version$minor, sep = "."),
    packages = vapply(packages, version, "")
  )
}

# For the tests: run R code given as text.
evaluate <- function(code) list(value = eval(parse(text = code), globalenv()))
