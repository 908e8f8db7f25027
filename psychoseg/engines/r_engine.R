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

correlate_pearson <- function(x) {
  list(corr = stats::cor(x, use = "pairwise.complete.obs"))
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

# Two-step polychoric correlations: an item's thresholds from all of its own (weighted) answers, no
# correction of empty cells, which is psych::polychoric(global = TRUE). psych itself computes it
# where it can: it takes thresholds without the weights, and leaves this definition (global = FALSE,
# thresholds of the pair, 0.5 in empty cells) where items have different numbers of categories. There its own
# likelihood, psych:::polyF, is maximised under the same definition.
correlate_polychoric <- function(x, weights) {
  codes <- matrix(apply(x, 2, \(v) match(v, sort(unique(v)))), nrow(x))
  n_codes <- apply(codes, 2, \(v) max(0, v, na.rm = TRUE))
  corr <- matrix(NA_real_, ncol(x), ncol(x))
  usable <- which(n_codes > 1)
  diag(corr)[usable] <- 1
  if (length(usable) > 1) {
    part <- codes[, usable, drop = FALSE]
    same <- length(unique(n_codes[usable])) == 1 && max(weights) == min(weights)
    # psych takes a 2 by 2 matrix of answers for a table of counts.
    corr[usable, usable] <- if (same && nrow(x) > 2) {
      psych::polychoric(
        part,
        smooth = FALSE, global = TRUE, progress = FALSE, max.cat = max(n_codes)
      )$rho
    } else {
      polychoric_pairs(part, n_codes[usable], weights)
    }
  }
  list(corr = corr)
}

polychoric_pairs <- function(codes, n_codes, weights) {
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

weighted_counts <- function(code, n_codes, weights) {
  sums <- rowsum(weights[!is.na(code)], code[!is.na(code)])
  counts <- numeric(n_codes)
  counts[as.integer(rownames(sums))] <- sums
  counts
}

factor_analysis <- function(corr, n_factors, rotation, n_obs) {
  # psych::fa takes what it does not recognise as a correlation matrix for raw answers.
  if (!psych::isCorrelation(corr)) {
    stop(
      "this is not a correlation matrix: it must be square and symmetric, with ones on its ",
      "diagonal and nothing beyond -1 and 1"
    )
  }
  fit <- withCallingHandlers(
    psych::fa(
      corr,
      nfactors = n_factors, n.obs = n_obs, fm = "minres", rotate = rotation, scores = "none"
    ),
    # psych::fa goes on with another rotation; another rotation is another answer.
    warning = function(w) {
      if (grepl("Promax was used instead", conditionMessage(w), fixed = TRUE)) {
        stop("the ", rotation, " rotation of ", n_factors, " factors failed", call. = FALSE)
      }
    }
  )
  warn_about_extraction(fit)
  phi <- if (is.null(fit$Phi)) diag(n_factors) else fit$Phi
  list(loadings = fit$loadings, phi = phi, uniquenesses = fit$uniquenesses)
}

# psych::fa does not return whether its optimiser converged. `communalities` is what the optimiser
# ended with, `communality` what the loadings imply; their difference is the gradient of the
# criterion.
warn_about_extraction <- function(fit) {
  low <- 0.005 # the bounds of a uniqueness in psych::fa
  high <- 1
  uniqueness <- 1 - fit$communalities
  at_low <- uniqueness < low + 1e-8
  inside <- !at_low & uniqueness < high - 1e-8
  gradient <- abs(fit$communality - fit$communalities)[inside]
  # bfi with 1 to 8 factors leaves at most 1e-4.
  if (any(gradient > 1e-3)) {
    warning(
      "minres did not converge for ", fit$factors, " factors; try fewer factors",
      call. = FALSE
    )
  }
  if (any(at_low)) {
    warning(
      "Heywood case: items number ", toString(which(at_low)), " of ", length(at_low),
      " are explained almost wholly by ", fit$factors, " factors; look for duplicate items or use ",
      "fewer factors",
      call. = FALSE
    )
  }
}

tree_hclust <- function(x, weights) {
  stats::hclust(weighted_distances(x, weights), "ward.D2", members = weights) |> merges()
}

tree_fastcluster <- function(x, weights) {
  fastcluster::hclust(weighted_distances(x, weights), "ward.D2", members = weights) |> merges()
}

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

tree_agnes <- function(x) {
  cluster::agnes(x, method = "ward", keep.diss = FALSE, keep.data = FALSE) |>
    stats::as.hclust() |>
    merges()
}

# k = 1 spares the silhouette of a cut that nobody asked for.
tree_hcut <- function(x) {
  factoextra::hcut(x, k = 1, hc_func = "hclust", hc_method = "ward.D2") |> merges()
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
