# Are there gaps between people that one cloud does not have? The single cloud matched to the
# columns (same covariance, same discreteness, single-peaked columns), the depth of the valleys
# between the halves of a tree's divisions, and the tests: the rules of
# psychoseg/stats/{null_cloud,valleys}.py, which give their reasons and references.
#
# Takes columns as measured (numbers and ranks first, then nominal ones as codes 0, 1, ...) with
# the weight and the number of people at each row; draws from R's generator; writes nothing.

# The constants of the two Python modules, by their names there.
cloud_rules <- list(
  answer_values = 7L, # up to so many different values a column is an answer scale
  bins = 30L, # up to so many each keeps its own share; beyond, the range is cut into as many
  least_eigenvalue = 1e-3, max_people = 2000L, max_node = 500L,
  people_per_coordinate = 3L, # a cluster of fewer people is too small to tell from one cloud
  least_people = 20L,
  node_k = 6L # clusters that a cluster of the tree is divided into
)
valley_rules <- list(
  rounds = 6L, # in which the halves of a division are let move to the nearer mean
  bandwidth = 0.5, # in standard deviations within the halves
  margin = 1.5, places = 60L, # how far beyond the means the density is looked at, and where
  ridge = 0.1,
  fewest = 5L, # a half of fewer people has no peak to speak of
  tie = 1e-9
)
# Clusters that a tree of all is divided into, and clouds for each cluster of it.
test_k <- 10L
node_replicates <- 49L
percent_grid <- (0:999 + 0.5) / 1000

# ---- tests ----

# `project` turns columns into the coordinates of the tree.
null_test <- function(columns, weights, people, project, nominal, replicates,
                      k_max = test_k, most = cloud_rules$max_people) {
  times <- systematic_sample(people, min(round(sum(people)), most))
  take <- rep(seq_along(people), times)
  if (length(take) < 3L) {
    fail("a test against one cloud takes at least 3 people, not ", length(take), ".")
  }
  weight <- (weights / people)[take]
  weight <- weight / mean(weight)
  ordered <- ordered_categories(columns, weights, nominal)
  cloud <- fit_cloud(ordered$columns, weights)
  depths <- function(people) {
    for (j in which(nominal)) people[, j] <- ordered$codes[[j]][people[, j] + 1]
    x <- project(people)
    # In the order of their values, so that the order of the file has no say in ties.
    order <- do.call(base::order, c(as.data.frame(x), list(weight)))
    x <- x[order, , drop = FALSE]
    cuts <- nested_cuts(grow_tree(stats::dist(x), weight[order]), k_max)
    cumsum(valley_depths(x, weight[order], cuts, k_max - 1L)) / seq_len(k_max - 1L)
  }
  told <- progress_of("clouds", replicates)
  deep <- vapply(seq_len(replicates), function(i) {
    told(i)
    depths(draw_cloud(cloud, length(take)))
  }, numeric(k_max - 1L))
  deep <- rbind(depths(ordered$columns[take, , drop = FALSE]), t(deep))
  # People and clouds are exchangeable: all are standardised together.
  z <- standard_columns(deep, rep(1, nrow(deep)))
  largest <- apply(z, 1L, max)
  null <- moments(largest[-1L], rep(1, replicates))
  list(
    p_value = (sum(largest[-1L] >= largest[[1L]]) + 1) / (replicates + 1),
    excess = (largest[[1L]] - null$mean) / (if (null$sd > 0) null$sd else 1),
    best_k = which.max(z[1L, ]) + 1L, n_people = length(take), sampled = sum(people) > most,
    replicates = replicates
  )
}

# Each node that the cuts divide next, held against a cloud of its own.
node_tests <- function(columns, weights, people, cuts, project, nominal) {
  least <- max(cloud_rules$least_people, cloud_rules$people_per_coordinate * ncol(columns))
  tests <- lapply(seq_len(ncol(cuts) - 1L), function(j) {
    here <- cuts[, j] == divided_next(cuts, j)
    if (sum(people[here]) < least) return(list(p_value = 1, excess = 0))
    null_test(
      columns[here, , drop = FALSE], weights[here], people[here], project, nominal,
      node_replicates, k_max = cloud_rules$node_k, most = cloud_rules$max_node
    )
  })
  list(p_value = vapply(tests, `[[`, 0, "p_value"), excess = vapply(tests, `[[`, 0, "excess"))
}

# How often each point comes into an evenly spaced sample of so many people (Madow 1949).
systematic_sample <- function(people, size) {
  ends <- cumsum(people)
  at <- (seq_len(size) - 0.5) * (ends[[length(ends)]] / size)
  tabulate(pmin(findInterval(at, ends) + 1L, length(ends)), length(ends))
}

nested_cuts <- function(tree, k_max) {
  stats::cutree(tree, k = seq_len(min(k_max, length(tree$order))))
}

# The cluster of cut j that cut j + 1 divides.
divided_next <- function(cuts, j) {
  parent <- cuts[!duplicated(cuts[, j + 1L]), j]
  parent[duplicated(parent)]
}

# ---- the single cloud ----

# A normal distribution seen through the columns' own scales: root of its correlation matrix, and
# for each column its values (or the edges of its bins) with the cumulative shares there.
fit_cloud <- function(columns, weights) {
  scales <- lapply(seq_len(ncol(columns)), function(j) marginal(columns[, j], weights))
  # What is left of a correlation when a normal variable is seen through the column's scale.
  kept <- vapply(scales, function(scale) {
    seen <- quantiles(scale, percent_grid)
    if (stats::sd(seen) > 0) stats::cor(stats::qnorm(percent_grid), seen) else 1
  }, 0)
  z <- standard_columns(columns, weights)
  corr <- crossprod(z * weights, z) / sum(weights) / outer(kept, kept)
  diag(corr) <- 1
  spectrum <- eigen(corr, symmetric = TRUE)
  values <- pmax(spectrum$values, cloud_rules$least_eigenvalue)
  corr <- spectrum$vectors %*% (values * t(spectrum$vectors))
  list(root = chol(stats::cov2cor(corr)), scales = scales)
}

draw_cloud <- function(cloud, n) {
  d <- ncol(cloud$root)
  u <- stats::pnorm(matrix(stats::rnorm(n * d), n) %*% cloud$root)
  vapply(seq_len(d), function(j) quantiles(cloud$scales[[j]], u[, j]), numeric(n))
}

# Nominal columns as places in the order of their means on the first principal component, and the
# code at each place.
ordered_categories <- function(columns, weights, nominal) {
  codes <- vector("list", ncol(columns))
  if (!any(nominal)) return(list(columns = columns, codes = codes))
  wide <- standard_columns(columns[, !nominal, drop = FALSE], weights)
  for (j in which(nominal)) {
    own <- outer(columns[, j], sort(unique(columns[, j])), `==`)
    share <- colSums(own * weights) / sum(weights)
    wide <- cbind(wide, t((t(own) - share) / sqrt(share)))
  }
  first <- wide %*% eigen(crossprod(wide * weights, wide), symmetric = TRUE)$vectors[, 1L]
  for (j in which(nominal)) {
    values <- sort(unique(columns[, j]))
    place <- match(columns[, j], values)
    mean <- vapply(seq_along(values), function(v) {
      stats::weighted.mean(first[place == v], weights[place == v])
    }, 0)
    codes[[j]] <- values[order(mean)]
    columns[, j] <- match(columns[, j], codes[[j]]) - 1
  }
  list(columns = columns, codes = codes)
}

marginal <- function(column, weights) {
  values <- sort(unique(column))
  total <- sum(weights)
  if (length(values) <= cloud_rules$bins) {
    share <- total_by(weights, match(column, values), length(values)) / total
    if (length(values) > cloud_rules$answer_values) share <- single_peaked(share)
    return(list(values = values, shares = cumsum(share), discrete = TRUE))
  }
  ends <- range(values)
  bins <- cloud_rules$bins
  edges <- c(ends[[1L]] + (seq_len(bins) - 1) * (diff(ends) / bins), ends[[2L]])
  share <- total_by(weights, findInterval(column, edges, rightmost.closed = TRUE), bins) / total
  shares <- c(0, cumsum(single_peaked(share)))
  # Smoothing moves mean and spread a little; the cloud has those of the data.
  seen <- moments(interpolate(shares, edges, percent_grid), rep(1, length(percent_grid)))
  about <- moments(column, weights)
  values <- about$mean + (edges - seen$mean) * (about$sd / seen$sd)
  list(values = values, shares = shares, discrete = FALSE)
}

quantiles <- function(scale, u) {
  if (!scale$discrete) return(interpolate(scale$shares, scale$values, u))
  place <- findInterval(u, scale$shares, left.open = TRUE) + 1L
  scale$values[pmin(place, length(scale$values))]
}

# stats::approx would average the values at equal x.
interpolate <- function(x, y, at) {
  j <- pmin(pmax(findInterval(at, x), 1L), length(x) - 1L)
  inside <- y[j] + (y[j + 1L] - y[j]) / (x[j + 1L] - x[j]) * (at - x[j])
  ifelse(at >= x[[length(x)]], y[[length(y)]], inside)
}

# The closest shares, by squares, that rise to one peak and then fall.
single_peaked <- function(share) {
  n <- length(share)
  best <- share
  least <- Inf
  for (peak in seq_len(n)) {
    left <- rising(share[seq_len(peak)])
    right <- rev(rising(rev(share[-seq_len(peak)])))
    fitted <- c(left, right)
    distance <- sum((fitted - share)^2)
    if (distance < least - 1e-15 && (peak == n || right[[1L]] <= left[[peak]] + 1e-15)) {
      best <- fitted
      least <- distance
    }
  }
  best / sum(best)
}

rising <- function(y) if (length(y) > 1L) stats::isoreg(y)$yf else y

# ---- valleys ----

# How far the density falls between the halves of each of the first divisions; 0 where there is no
# valley, a half has too few people or there is no further division.
valley_depths <- function(x, weights, cuts, n_divisions) {
  depth <- numeric(n_divisions)
  for (j in seq_len(min(n_divisions, ncol(cuts) - 1L))) {
    here <- cuts[, j] == divided_next(cuts, j)
    half <- cuts[here, j + 1L]
    depth[[j]] <- valley(x[here, , drop = FALSE], weights[here], half != half[[1L]])
  }
  depth
}

valley <- function(x, weights, second) {
  everybody <- sum(weights)
  x <- sweep(x, 2L, colSums(x * weights) / everybody)
  for (round in seq_len(valley_rules$rounds)) {
    there <- sum(weights[second])
    to <- colSums(x * (weights * second)) / max(there, 1e-300)
    from <- -to * there / max(everybody - there, 1e-300)
    toward <- to - from
    nearer <- as.vector(x %*% toward) - sum((from + to) * toward) / 2
    moved <- ifelse(abs(nearer) > valley_rules$tie * sum(toward^2), nearer > 0, second)
    if (all(moved == second)) break
    second <- moved
  }
  there <- sum(weights[second])
  fewer <- min(there, everybody - there)
  if (fewer < valley_rules$fewest) return(0)
  to <- colSums(x * (weights * second)) / there
  from <- -to * there / (everybody - there)
  offset <- x - outer(second, to) - outer(!second, from)
  spread <- crossprod(offset * weights, offset) / everybody
  level <- mean(diag(spread))
  # Two places and nothing between them.
  if (level <= valley_rules$tie * sum((to - from)^2)) return(sqrt(fewer))
  direction <- solve(spread + diag(valley_rules$ridge * level, ncol(x)), to - from)
  unit <- sqrt(sum(direction * (spread %*% direction)))
  ends <- c(sum(from * direction), sum(to * direction)) / unit
  fall(as.vector(x %*% direction) / unit, weights, ends[[1L]], ends[[2L]])
}

# Root of the lower of the two peaks less that of the lowest place between the means a and b.
fall <- function(position, weights, a, b) {
  margin <- valley_rules$margin
  bandwidth <- valley_rules$bandwidth
  places <- valley_rules$places
  low <- a - margin
  step <- (b + margin - low) / (places - 1)
  at <- (position - low) / step
  inside <- at >= 0 & at <= places - 1
  at <- at[inside]
  # Shared between the two nearest places, so that no rounding moves a whole person.
  place <- pmin(floor(at), places - 2)
  upper <- weights[inside] * (at - place)
  count <- total_by(weights[inside] - upper, place + 1, places) + total_by(upper, place + 2, places)
  kernel <- stats::dnorm((seq_len(places) - 1) * step / bandwidth) / bandwidth
  density <- as.vector(stats::toeplitz(kernel) %*% count)
  aside <- floor(margin / step)
  bottom <- aside + which.min(density[seq.int(aside + 1, places - aside)])
  peak <- min(max(density[seq_len(bottom)]), max(density[seq.int(bottom, places)]))
  sqrt(peak) - sqrt(density[[bottom]])
}

# ---- sums ----

# A constant column becomes zeros.
standard_columns <- function(x, weights) {
  x <- t(x) - colSums(x * weights) / sum(weights)
  sd <- sqrt(as.vector(x^2 %*% weights) / sum(weights))
  t(x / ifelse(sd > 0, sd, 1))
}

total_by <- function(weights, place, n) {
  total <- numeric(n)
  sums <- rowsum(weights, place, reorder = FALSE)
  total[as.integer(rownames(sums))] <- sums
  total
}
