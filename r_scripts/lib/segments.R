# Scales and active columns -> segments: PCA, stats::hclust (ward.D2), cluster::silhouette,
# bootstrap; the rules of psychoseg/segments.py.

# R's tree needs all pairwise distances: 20,000 points take 1.6 GB.
max_points <- 20000L

fit_segments <- function(survey, scales, settings, reduce) {
  features <- active_features(survey, scales)
  rows <- which(features$complete)
  if (length(rows) < 3L) {
    fail(
      "only ", length(rows),
      " respondents have all active values; make columns with many gaps use = \"profile\"."
    )
  }
  weights <- survey$weights[rows]
  if (survey$weight_kind != "frequency") weights <- weights / mean(weights)
  points <- collapse(features$x[rows, , drop = FALSE], weights)
  if (nrow(points$x) > max_points) {
    fail(
      nrow(points$x), " different respondents are too many for a tree in R (", max_points,
      " at most); use `psychoseg run`."
    )
  }
  standard <- standardise(points, features)
  pca <- components(standard$x, points$weights, reduce)
  x <- pca$scores
  m <- nrow(x)
  if (settings$k != "auto" && settings$k > m) {
    fail("[segments] k = ", settings$k, " is larger than the ", m, " distinct respondents.")
  }
  distances <- as.matrix(stats::dist(x))
  tree <- grow_tree(distances, points$weights)
  ks <- candidates(settings, m)
  cuts <- lapply(ks, function(k) by_size(stats::cutree(tree, k), points$weights))
  people <- if (survey$weight_kind == "frequency") points$weights else points$n
  widths <- lapply(cuts, silhouettes, distances, points, unweighted = survey$weight_kind == "none")
  jaccards <- bootstrap_jaccard(distances, points, people, cuts, settings$bootstrap)
  choice <- choice_table(ks, cuts, widths, jaccards, points$weights, people, settings)
  decision <- decide(choice, settings)
  choice$chosen <- choice$k == decision$k
  at <- match(decision$k, ks)
  tied <- count_ties(tree$height)
  if (tied > 0L) {
    warning(
      tied,
      " merges of the tree share their height with another one, ",
      "so another program may cut it elsewhere",
      call. = FALSE
    )
  }
  n_effective <- effective_n(survey) * sum(people) / (
    if (survey$weight_kind == "frequency") sum(survey$weights) else length(survey$ids)
  )
  label <- point_of <- rep(NA_integer_, length(survey$ids))
  point_of[rows] <- points$point_of
  label[rows] <- cuts[[at]][points$point_of]
  list(
    labels = label, point_of = point_of, silhouette = widths[[at]][point_of], k = decision$k,
    table = segment_table(cuts[[at]], points, widths[[at]], jaccards[[at]], n_effective),
    choice = choice, tree = tree_table(tree),
    points = data.frame(
      point = seq_len(m) - 1L, weight = points$weights, n = points$n, segment = cuts[[at]], x,
      check.names = FALSE
    ),
    features = standard$table, eigenvalues = pca$table, components = pca$correlations,
    summary = list(
      k = decision$k, verdict = decision$verdict, reason = decision$reason,
      k_rule = decision$k_rule,
      components_rule = pca$rule, method = "Ward's tree (R: stats::hclust ward.D2)",
      tied_merges = tied, n_identical = sum(points$n[points$n > 1L])
    ),
    ledger = features$gaps
  )
}

# ---- what enters ----

active_features <- function(survey, scales) {
  x <- scales$scores
  kinds <- stats::setNames(rep("scale", ncol(x)), names(x))
  labels <- stats::setNames(scales$table$label, scales$table$scale)
  gaps <- stats::setNames(as.data.frame(is.na(x)), labels[names(x)])
  active <- survey$variables$name[survey$variables$role == "active"]
  for (name in active) {
    value <- survey$columns[[name]]
    label <- survey$variables$label[survey$variables$name == name]
    gaps[[label]] <- is.na(value)
    new <- if (name %in% names(x)) paste(name, "(column)") else name
    if (is.factor(value)) new <- paste0(name, "=", levels(value))
    for (feature in seq_along(new)) {
      indicator <- as.numeric(value == levels(value)[feature])
      x[[new[[feature]]]] <- if (is.factor(value)) indicator else value
      kinds[[new[[feature]]]] <- if (is.factor(value)) "category" else "numeric"
      shown <- if (is.factor(value)) paste0(label, ": ", levels(value)[[feature]]) else label
      labels[[new[[feature]]]] <- shown
    }
  }
  complete <- !Reduce(`|`, gaps)
  lacking <- apply(
    as.matrix(gaps)[!complete, , drop = FALSE], 1L,
    function(gap) paste(names(gaps)[gap], collapse = ", ")
  )
  ledger <- new_ledger(
    survey$ids[!complete], "", rep(NA_integer_, sum(!complete)), "segments", "excluded",
    if (any(!complete)) paste("no value for", lacking) else character()
  )
  # A category that none of the complete respondents has is no feature.
  used <- sort(
    names(x)[vapply(
      names(x), function(f) kinds[[f]] != "category" || any(x[[f]][complete] > 0), logical(1)
    )]
  )
  list(
    x = as.matrix(x[used]), kinds = kinds[used], labels = labels[used], complete = complete,
    gaps = ledger
  )
}

# Identical respondents become one weighted point; points stand in the order of their values, first
# column first.
collapse <- function(x, weights) {
  order <- do.call(base::order, as.data.frame(x))
  sorted <- x[order, , drop = FALSE]
  new <- c(TRUE, rowSums(sorted[-1L, , drop = FALSE] != sorted[-nrow(sorted), , drop = FALSE]) > 0)
  point_of <- integer(nrow(x))
  point_of[order] <- cumsum(new)
  list(
    x = sorted[new, , drop = FALSE], weights = as.vector(tapply(weights, point_of, sum)),
    n = tabulate(point_of), point_of = point_of
  )
}

# Numeric columns are standardised; a category's indicator of share p becomes (y - p) / sqrt(p), as
# in FAMD (Pages 2004).
standardise <- function(points, features) {
  about <- apply(points$x, 2L, moments, weights = points$weights)
  mean <- vapply(about, `[[`, 0, "mean")
  sd <- vapply(about, `[[`, 0, "sd")
  constant <- sd <= 1e-12 * pmax(1, abs(mean))
  if (any(constant)) {
    fail(
      "every respondent has the same value of ", paste(features$labels[constant], collapse = ", "),
      "; make it use = \"profile\"."
    )
  }
  divisor <- ifelse(features$kinds == "category", sqrt(mean), sd)
  list(
    x = scale(points$x, center = mean, scale = divisor),
    table = data.frame(
      feature = colnames(points$x), label = unname(features$labels), kind = unname(features$kinds),
      mean = mean, sd = divisor
    )
  )
}

components <- function(x, weights, reduce) {
  # Singular values of the rows times the root of their weights: the weighted PCA.
  root <- sqrt(weights / sum(weights))
  fit <- svd(x * root)
  values <- fit$d^2
  share <- values / sum(values)
  cumulative <- cumsum(share)
  positive <- sum(values > 1e-12 * values[[1L]])
  wanted <- reduce$components
  if (identical(wanted, "share")) {
    n <- min(which(cumulative >= reduce$share - 1e-9)[[1L]], positive)
    rule <- sprintf(
      "the first %d of %d components: the fewest that carry %.0f%% of the variance", n, positive,
      100 * reduce$share
    )
  } else {
    n <- if (identical(wanted, "all")) positive else wanted
    if (n > positive) {
      fail(
        "[reduce] components = ", n, " is more than the ", positive,
        " that the active columns have."
      )
    }
    rule <- sprintf("%d of %d components, as set in the study", n, positive)
  }
  vectors <- fit$v %*% diag(ifelse(colSums(fit$v) < 0, -1, 1), ncol(fit$v))
  kept <- vectors[, seq_len(n), drop = FALSE]
  names <- paste0("comp_", seq_len(n))
  sd <- sqrt(colSums(x^2 * weights) / sum(weights))
  correlations <- sweep(kept, 2L, sqrt(values[seq_len(n)]), `*`) / sd
  scores <- x %*% kept
  # Finer differences are rounding noise, and must not decide which of two equal distances is the
  # shorter.
  scores <- round(scores, -floor(log10(1e-10 * max(abs(scores)))))
  dimnames(scores) <- list(NULL, names)
  list(
    scores = scores, rule = rule,
    table = data.frame(
      component = seq_along(values), eigenvalue = values, share = share, cumulative = cumulative,
      retained = seq_along(values) <= n
    ),
    correlations = data.frame(
      feature = colnames(x), stats::setNames(as.data.frame(correlations), names)
    )
  )
}

# ---- tree, cuts and how good they are ----

# hclust counts a point as `members` points where its distances are scaled to match: two points of
# weights a and b merge at sqrt(2ab / (a + b)) times their distance.
grow_tree <- function(distances, weights) {
  scaled <- distances * sqrt(2 / outer(1 / weights, 1 / weights, `+`))
  stats::hclust(stats::as.dist(scaled), method = "ward.D2", members = weights)
}

candidates <- function(settings, m) {
  ks <- seq_len(min(settings$k_max, m - 1L))
  ks <- ks[ks >= settings$k_min]
  if (settings$k != "auto") ks <- c(ks, settings$k)
  if (length(ks) == 0L) {
    fail("there are only ", m, " distinct respondents, too few for ", settings$k_min, " segments.")
  }
  sort(unique(ks))
}

by_size <- function(labels, weights) {
  mass <- tapply(weights, labels, sum)
  match(labels, as.integer(names(mass))[order(-round(mass, 9L))])
}

# cluster::silhouette knows no weights: the mean distances are then formed here, a point of weight w
# being w people.
silhouettes <- function(labels, distances, points, unweighted) {
  if (unweighted && all(points$n == 1L)) {
    return(cluster::silhouette(labels, dmatrix = distances)[, "sil_width"])
  }
  mass <- as.vector(tapply(points$weights, labels, sum))
  to <- distances %*% (outer(labels, seq_along(mass), `==`) * points$weights)
  own <- cbind(seq_along(labels), labels)
  within <- to[own] / (mass[labels] - 1)
  between <- sweep(to, 2L, mass, `/`)
  between[own] <- Inf
  nearest <- apply(between, 1L, min)
  width <- (nearest - within) / pmax(within, nearest)
  ifelse(mass[labels] > 1 & is.finite(width), width, 0)
}

# Mean Jaccard similarity of each cluster to its best match in the trees of redrawn people (Hennig
# 2007).
bootstrap_jaccard <- function(distances, points, people, cuts, replicates) {
  total <- lapply(cuts, function(cut) numeric(max(cut)))
  drawn <- min(round(sum(people)), 4000L) # a tree costs time with the square of its points
  for (b in seq_len(replicates)) {
    times <- as.vector(stats::rmultinom(1L, drawn, people))
    here <- which(times > 0L)
    if (length(here) < 2L) next # one point alone is no tree: nothing came back
    tree <- grow_tree(distances[here, here], points$weights[here] * times[here] / people[here])
    for (s in seq_along(cuts)) {
      again <- stats::cutree(tree, min(max(cuts[[s]]), length(here)))
      both <- stats::xtabs(
        points$weights[here] ~ factor(cuts[[s]][here], seq_len(max(cuts[[s]]))) + again
      )
      size <- rowSums(both)
      best <- apply(both / (outer(size, colSums(both), `+`) - both), 1L, max)
      total[[s]] <- total[[s]] + ifelse(size > 0, best, 0)
    }
  }
  lapply(total, `/`, replicates)
}

choice_table <- function(ks, cuts, widths, jaccards, weights, people, settings) {
  rows <- lapply(seq_along(ks), function(j) {
    mass <- as.vector(tapply(weights, cuts[[j]], sum))
    n <- as.vector(tapply(people, cuts[[j]], sum))
    share <- mass / sum(mass)
    jaccard <- jaccards[[j]]
    mean_jaccard <- sum(share * jaccard)
    against <- c(
      if (min(share) < settings$min_share) sprintf("smallest segment %.1f%%", 100 * min(share)),
      if (min(n) < settings$min_people) sprintf("smallest segment %.0f people", min(n)),
      if (mean_jaccard < settings$stable_jaccard) {
        sprintf("does not come back (Jaccard %.2f)", floored(mean_jaccard))
      } else if (min(jaccard) < settings$min_jaccard) {
        sprintf("one segment does not come back (Jaccard %.2f)", floored(min(jaccard)))
      }
    )
    data.frame(
      k = ks[[j]], silhouette = sum(weights * widths[[j]]) / sum(weights),
      jaccard_mean = mean_jaccard,
      jaccard_min = min(jaccard), smallest_share = min(share), smallest_n = round(min(n)),
      eligible = length(against) == 0L, chosen = FALSE,
      why = if (length(against) == 0L) "large enough and stable" else paste(
        against, collapse = "; "
      )
    )
  })
  do.call(rbind, rows)
}

# Two decimals, rounded down: a value below a threshold must not be printed as on it.
floored <- function(x) floor(100 * x + 1e-9) / 100

decide <- function(choice, settings) {
  searched <- choice[choice$k >= settings$k_min & choice$k <= settings$k_max, ]
  large <- searched$smallest_share >= settings$min_share &
    searched$smallest_n >= settings$min_people
  best <- function(rows) rows[which.max(round(rows$silhouette, 9L)), ]
  if (settings$k != "auto") {
    row <- choice[choice$k == settings$k, ]
    k_rule <- paste(row$k, "segments, set in the study")
  } else if (any(searched$eligible)) {
    row <- best(searched[searched$eligible, ])
    k_rule <- paste(
      row$k, "segments: the highest average silhouette among those large enough and stable"
    )
  } else {
    row <- if (any(large)) best(searched[large, ]) else {
      searched[which.max(round(searched$smallest_share, 9L)), ]
    }
    k_rule <- paste(
      row$k,
      "segments, for illustration: none was large enough and stable, and this has the",
      if (any(large)) "highest average silhouette" else "largest smallest segment"
    )
  }
  back <- row$jaccard_mean >= settings$stable_jaccard && row$jaccard_min >= settings$min_jaccard
  stable <- back && row$eligible
  numbers <- sprintf(
    "mean Jaccard %.2f over %d resamples, the least stable segment %.2f", floored(row$jaccard_mean),
    settings$bootstrap, floored(row$jaccard_min)
  )
  list(
    k = row$k, k_rule = k_rule, verdict = if (stable) "reproducible" else "constructed",
    reason = if (stable) {
      sprintf("The same %d segments come back when the survey is redrawn (%s).", row$k, numbers)
    } else if (back) {
      sprintf(
        "No stable segments: these %d come back (%s), but not all are large enough.", row$k, numbers
      )
    } else {
      sprintf(
        "No stable segments: when the survey is redrawn, these %d do not come back (%s).", row$k,
        numbers
      )
    }
  )
}

# Merges whose height another one shares: each could have come first.
count_ties <- function(heights) {
  close <- diff(heights) <= 1e-12 * max(heights)
  sum(c(FALSE, close) | c(close, FALSE))
}

# ---- tables ----

segment_table <- function(labels, points, widths, jaccard, n_effective) {
  mass <- as.vector(tapply(points$weights, labels, sum))
  share <- mass / sum(mass)
  # Wilson's interval on the effective sample size.
  z <- stats::qnorm(0.975)
  middle <- (share + z^2 / (2 * n_effective)) / (1 + z^2 / n_effective)
  half <- z * sqrt(share * (1 - share) / n_effective + z^2 / (4 * n_effective^2)) / (
    1 + z^2 / n_effective
  )
  data.frame(
    segment = seq_along(mass), n = as.vector(tapply(points$n, labels, sum)), weighted = mass,
    share = share,
    share_low = middle - half, share_high = middle + half, jaccard = jaccard,
    silhouette = as.vector(tapply(points$weights * widths, labels, sum)) / mass
  )
}

# scipy's convention: leaves 0 to m - 1, merge i makes node m + i.
tree_table <- function(tree) {
  m <- length(tree$order)
  node <- ifelse(tree$merge < 0L, -tree$merge - 1L, m + tree$merge - 1L)
  size <- integer(m - 1L)
  below <- function(j) if (j < m) 1L else size[[j - m + 1L]]
  for (i in seq_len(m - 1L)) size[[i]] <- below(node[i, 1L]) + below(node[i, 2L])
  data.frame(
    merge = seq_len(m - 1L) - 1L, left = pmin(node[, 1L], node[, 2L]), right = pmax(
      node[, 1L], node[, 2L]
    ),
    height = tree$height, size = size
  )
}
