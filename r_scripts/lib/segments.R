# Scales and active columns -> segments: PCA, stats::hclust (ward.D2), cluster::silhouette,
# bootstrap; the rules of psychoseg/segments/{fit,space,coordinates}.py.

# R's tree needs all pairwise distances: 20,000 points take 1.6 GB.
max_points <- 20000L
panel <- 15L # numbers of segments that the table shows at the least

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
  weights <- points$weights
  people <- if (survey$weight_kind == "frequency") weights else points$n
  standard <- standardise(points, features, reduce$standardise)
  pca <- components(standard$x, weights, reduce)
  x <- pca$scores
  ks <- candidates(settings, nrow(x))
  distances <- stats::dist(x)
  tree <- grow_tree(distances, weights, stats::hclust)
  nested <- nested_cuts(tree, max(ks))
  cuts <- lapply(ks, function(k) by_size(nested[, k], weights))
  distances <- as.matrix(distances)
  widths <- lapply(cuts, silhouettes, distances, points, unweighted = survey$weight_kind == "none")
  progress("tree of ", nrow(x), " points; ", settings$bootstrap, " resamples")
  jaccards <- bootstrap_jaccard(distances, weights, people, cuts, settings$bootstrap)

  project <- function(columns) {
    wide <- widen(columns, standard$levels)
    t((t(wide) - standard$mean) / standard$divisor) %*% pca$vectors
  }
  columns <- as_measured(points$x, standard$levels)
  nominal <- seq_len(ncol(columns)) > ncol(columns) - length(standard$levels)
  progress("gaps, beside ", settings$null_replicates, " clouds without any")
  test <- null_test(columns, weights, people, project, nominal, settings$null_replicates)
  progress("gaps of each of ", ncol(nested) - 1L, " divisions")
  nodes <- node_tests(columns, weights, people, nested, project, nominal)
  within <- vapply(cuts, within_squares, 0, x, weights)
  choice <- choice_table(ks, cuts, widths, jaccards, within, nodes, weights, people, settings)
  advice <- recommend(choice, test, nodes)
  choice$score <- advice$score
  decision <- decide(choice, advice, test, settings)
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
    choice = choice, null = as.data.frame(test), tree = tree_table(tree),
    points = data.frame(
      point = seq_along(weights) - 1L, weight = weights, n = points$n, segment = cuts[[at]], x,
      check.names = FALSE
    ),
    features = standard$table, eigenvalues = pca$table, components = pca$correlations,
    summary = list(
      k = decision$k, recommended_k = advice$k,
      runner_up = if (is.na(advice$runner_up)) 0L else advice$runner_up,
      k_reason = advice$reason, runner_up_reason = advice$runner_up_reason,
      verdict = decision$verdict, reason = decision$reason, k_rule = decision$k_rule,
      components_rule = pca$rule, tied_merges = tied, n_identical = sum(points$n[points$n > 1L]),
      method = "Ward's tree (R: stats::hclust ward.D2)"
    ),
    ledger = features$gaps
  )
}

# ---- what enters ----

active_features <- function(survey, scales) {
  x <- scales$scores
  kinds <- stats::setNames(rep("scale", ncol(x)), names(x))
  blocks <- stats::setNames(rep("scales", ncol(x)), names(x))
  variables <- stats::setNames(names(x), names(x))
  labels <- stats::setNames(scales$table$label, scales$table$scale)
  gaps <- stats::setNames(as.data.frame(is.na(x)), labels[names(x)])
  active <- survey$variables$name[survey$variables$role == "active"]
  for (name in active) {
    value <- survey$columns[[name]]
    variable <- survey$variables[survey$variables$name == name, ]
    label <- variable$label
    gaps[[label]] <- is.na(value)
    # Categories in their order, counted as equal steps.
    if (variable$kind == "ordinal") value <- as.integer(value) - 1
    new <- if (name %in% names(x)) paste(name, "(column)") else name
    if (is.factor(value)) new <- paste0(name, "=", levels(value))
    for (feature in seq_along(new)) {
      indicator <- as.numeric(value == levels(value)[feature])
      x[[new[[feature]]]] <- if (is.factor(value)) indicator else value
      kinds[[new[[feature]]]] <- if (is.factor(value)) "category" else variable$kind
      blocks[[new[[feature]]]] <- variable$block
      variables[[new[[feature]]]] <- paste("column", name)
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
  there <- vapply(
    names(x), function(f) kinds[[f]] != "category" || any(x[[f]][complete] > 0), logical(1)
  )
  # Numbers first, then the categories of each column together.
  used <- names(x)[order(kinds == "category", ifelse(kinds == "category", variables, ""), names(x))]
  used <- used[there[used]]
  list(
    x = as.matrix(x[used]), kinds = kinds[used], labels = labels[used], blocks = blocks[used],
    variables = variables[used], complete = complete, gaps = ledger
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

# Numbers are standardised; a category's indicator of share p becomes (y - p) / sqrt(p), as in FAMD
# (Pages 2004). There are always scales, so never categories alone.
standardise <- function(points, features, standardise) {
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
  category <- features$kinds == "category"
  spread <- ifelse(category, sqrt(mean), sd)
  levels <- rle(unname(features$variables[category]))$lengths
  divisor <- if (standardise) spread else ifelse(category, spread, 1)
  list(
    x = scale(points$x, center = mean, scale = divisor), mean = mean, divisor = divisor,
    levels = levels,
    table = data.frame(
      feature = colnames(points$x), label = unname(features$labels), kind = unname(features$kinds),
      block = unname(features$blocks), mean = mean, sd = spread
    )
  )
}

# Numbers, then for each nominal column the code 0, 1, ... of the category: `levels` says how many
# indicators, which stand last, belong to each.
as_measured <- function(x, levels) {
  ends <- ncol(x) - sum(levels) + cumsum(levels)
  codes <- vapply(seq_along(levels), function(j) {
    max.col(x[, seq.int(ends[[j]] - levels[[j]] + 1L, ends[[j]]), drop = FALSE], "first") - 1
  }, numeric(nrow(x)))
  unname(cbind(x[, seq_len(ncol(x) - sum(levels)), drop = FALSE], codes))
}

widen <- function(columns, levels) {
  numbers <- ncol(columns) - length(levels)
  indicators <- lapply(seq_along(levels), function(j) {
    outer(columns[, numbers + j], seq_len(levels[[j]]) - 1, `==`)
  })
  do.call(cbind, c(list(columns[, seq_len(numbers), drop = FALSE]), indicators))
}

components <- function(x, weights, reduce) {
  # Singular values of the rows times the root of their weights: the weighted PCA.
  root <- sqrt(weights / sum(weights))
  fit <- svd(x * root)
  values <- fit$d^2
  positive <- sum(values > 1e-12 * values[[1L]])
  values <- values[seq_len(positive)]
  share <- values / sum(values)
  cumulative <- cumsum(share)
  wanted <- reduce$components
  if (reduce$method == "none") {
    n <- positive
    rule <- paste(
      "no reduction: all", n, "dimensions of the columns, turned to their principal axes, which",
      "leaves every distance as it is"
    )
  } else if (identical(wanted, "all")) {
    n <- positive
    rule <- paste("all", n, "components")
  } else if (identical(wanted, "share")) {
    n <- min(which(cumulative >= reduce$share - 1e-9)[1L], positive, na.rm = TRUE)
    rule <- sprintf(
      "the first %d of %d components: the fewest that carry %.0f%% of the variance (%.0f%%)", n,
      positive, 100 * reduce$share, 100 * cumulative[[n]]
    )
  } else {
    n <- wanted
    if (n > positive) {
      fail(
        "[reduce] components = ", n, " is more than the ", positive,
        " that the active columns have."
      )
    }
    rule <- sprintf(
      "%d components, set in the study (%.0f%% of the variance)", n, 100 * cumulative[[n]]
    )
  }
  kept <- fit$v[, seq_len(n), drop = FALSE]
  kept <- kept %*% diag(ifelse(colSums(kept) < 0, -1, 1), n)
  names <- paste0("comp_", seq_len(n))
  sd <- sqrt(colSums(x^2 * weights) / sum(weights))
  correlations <- sweep(kept, 2L, sqrt(values[seq_len(n)]), `*`) / sd
  scores <- x %*% kept
  # Finer differences are rounding noise, and must not decide which of two equal distances is the
  # shorter.
  scores <- round(scores, -floor(log10(1e-10 * max(abs(scores)))))
  dimnames(scores) <- list(NULL, names)
  list(
    scores = scores, vectors = kept, rule = rule,
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
# weights a and b merge at sqrt(2ab / (a + b)) times their distance. fastcluster's is the same, and
# faster where trees are many.
grow_tree <- function(distances, weights, hclust = fastcluster::hclust) {
  if (all(weights == weights[[1L]])) {
    return(hclust(distances * sqrt(weights[[1L]]), method = "ward.D2"))
  }
  scale <- stats::as.dist(sqrt(2 / outer(1 / weights, 1 / weights, `+`)))
  hclust(distances * scale, method = "ward.D2", members = weights)
}

# The numbers of segments that people are divided into: 1, 2, ...
candidates <- function(settings, m) {
  if (settings$k != "auto" && settings$k > m) {
    fail(
      "[segments] k = ", settings$k, " is larger than the ", m, " distinct respondents: ask for ",
      "fewer."
    )
  }
  if (settings$k == "auto" && m <= settings$k_min) {
    fail(
      "there are only ", m, " distinct respondents, too few to look for ", settings$k_min,
      " segments or more: give more, or set k in [segments]."
    )
  }
  most <- max(2L, min(max(panel, settings$k_max), m - 1L))
  seq_len(if (settings$k == "auto") most else max(most, settings$k))
}

by_size <- function(labels, weights) {
  mass <- tapply(weights, labels, sum)
  match(labels, as.integer(names(mass))[order(-round(mass, 9L))])
}

# cluster::silhouette knows no weights: the mean distances are then formed here, a point of weight w
# being w people.
silhouettes <- function(labels, distances, points, unweighted) {
  if (all(labels == 1L)) return(NULL)
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

within_squares <- function(labels, x, weights) {
  mean <- rowsum(x * weights, labels) / as.vector(rowsum(weights, labels))
  sum(weights * rowSums((x - mean[labels, , drop = FALSE])^2))
}

# Mean Jaccard similarity of each segment to its best match in the trees of redrawn people, each of
# those drawn counted once: fpc::clusterboot's default (Hennig 2007).
bootstrap_jaccard <- function(distances, weights, people, cuts, replicates) {
  total <- lapply(cuts, function(cut) numeric(max(cut)))
  ends <- round(cumsum(people))
  n <- ends[[length(ends)]]
  counts <- diff(c(0, ends))
  drawn <- min(n, 4000L) # a tree costs time with the square of its points
  told <- progress_of("resamples", replicates)
  for (b in seq_len(replicates)) {
    told(b)
    who <- unique(sample.int(n, drawn, replace = TRUE))
    times <- tabulate(findInterval(who, ends, left.open = TRUE) + 1L, length(ends))
    here <- which(times > 0L)
    if (length(here) < 2L) next # one point alone is no tree: nothing came back
    weight <- weights[here] * times[here] / counts[here]
    tree <- grow_tree(stats::as.dist(distances[here, here]), weight)
    again <- nested_cuts(tree, length(cuts))
    for (s in seq_along(cuts)) {
      k <- length(total[[s]])
      found <- best_jaccard(cuts[[s]][here], again[, min(k, ncol(again))], weight, k)
      total[[s]] <- total[[s]] + found
    }
  }
  lapply(total, `/`, replicates)
}

# Each of k segments' highest weighted similarity to one of the others.
best_jaccard <- function(own, other, weights, k) {
  n_other <- max(other)
  both <- matrix(total_by(weights, own + k * (other - 1L), k * n_other), k)
  union <- outer(rowSums(both), colSums(both), `+`) - both
  apply(ifelse(both > 0, both / union, 0), 1L, max)
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
