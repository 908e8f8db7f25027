# Who the segments are: means of scales and numeric columns, shares of categories, a suggested name.

profile_segments <- function(survey, scales, segments, names) {
  there <- !is.na(segments$labels)
  weights <- survey$weights[there]
  segment <- segments$labels[there]
  means <- shares <- NULL
  for (i in seq_len(nrow(scales$table))) {
    name <- scales$table$scale[[i]]
    means <- rbind(
      means,
      mean_rows(
        scales$scores[[name]][there], segment, weights, survey, name, scales$table$label[[i]],
        "scale", "active"
      )
    )
  }
  columns <- survey$variables[survey$variables$role %in% c("active", "profile"), ]
  for (i in seq_len(nrow(columns))) {
    value <- survey$columns[[columns$name[[i]]]][there]
    if (is.factor(value)) {
      shares <- rbind(
        shares, share_rows(value, segment, weights, columns$name[[i]], columns$label[[i]])
      )
    } else {
      means <- rbind(
        means,
        mean_rows(
          value, segment, weights, survey, columns$name[[i]], columns$label[[i]], "numeric",
          columns$role[[i]]
        )
      )
    }
  }
  list(
    means = means, shares = shares,
    personas = persona_table(means, segments, names, scales$table)
  )
}

# Weighted mean, Student's interval on the linearised standard error (survey::svymean), Cohen's d
# against the rest, and z = distance from the mean of all in standard deviations of all.
mean_rows <- function(x, segment, weights, survey, name, label, kind, role) {
  counts <- survey$weight_kind == "frequency"
  n_all <- if (counts) sum(weights) else length(x)
  answered <- !is.na(x)
  all <- spread(x[answered], weights[answered], counts)
  rows <- lapply(sort(unique(segment)), function(s) {
    here <- answered & segment == s
    inside <- spread(x[here], weights[here], counts)
    rest <- spread(x[answered & !here], weights[answered & !here], counts)
    residual <- x[here] - inside$mean
    squares <- sum((if (counts) weights[here] else weights[here]^2) * residual^2)
    variance <- squares / inside$total^2 * n_all / (n_all - 1)
    half <- NA_real_
    if (inside$people > 1) half <- stats::qt(0.975, inside$people - 1) * sqrt(variance)
    pooled <- sqrt((inside$squares + rest$squares) / all$total * all$people / (all$people - 2))
    data.frame(
      segment = s, variable = name, label = label, kind = kind, role = role, mean = inside$mean,
      low = inside$mean - half,
      high = inside$mean + half, sd = inside$sd, base = sum(here), base_weighted = inside$total,
      base_effective = if (counts) inside$people else inside$total^2 / sum(weights[here]^2),
      total = all$mean, effect = (inside$mean - rest$mean) / pooled,
      z = (inside$mean - all$mean) / all$sd
    )
  })
  do.call(rbind, rows)
}

spread <- function(x, weights, counts) {
  total <- sum(weights)
  people <- if (counts) total else length(x)
  mean <- sum(weights * x) / total
  squares <- sum(weights * (x - mean)^2)
  sd <- if (people > 1) sqrt(squares / total * people / (people - 1)) else NA_real_
  list(mean = mean, sd = sd, squares = squares, total = total, people = people)
}

share_rows <- function(value, segment, weights, name, label) {
  table <- stats::xtabs(weights ~ factor(segment) + value)
  share <- table / rowSums(table)
  total <- colSums(table) / sum(table)
  rest <- sweep(sweep(-table, 2L, colSums(table), `+`), 1L, sum(table) - rowSums(table), `/`)
  bases <- as.vector(table(factor(segment)[!is.na(value)]))
  grid <- expand.grid(row = seq_len(nrow(table)), column = seq_len(ncol(table)))
  at <- as.matrix(grid)
  data.frame(
    segment = as.integer(rownames(table))[grid$row], variable = name, label = label,
    category = colnames(table)[grid$column],
    share = share[at], total = total[grid$column], base = bases[grid$row],
    base_weighted = rowSums(table)[grid$row],
    index = 100 * share[at] / total[grid$column],
    effect = 2 * asin(sqrt(share[at])) - 2 * asin(sqrt(rest[at])), row.names = NULL
  )
}

# Nunnally (1967), Psychometric Theory, p. 226: a scale whose alpha is lower names nobody.
least_alpha <- 0.5

# Named after the scales that set a segment furthest apart, unless the study names it.
persona_table <- function(means, segments, names, scales) {
  weak <- scales$scale[which(scales$alpha < least_alpha)]
  means <- means[!(means$kind == "scale" & means$variable %in% weak), ]
  suggested <- vapply(segments$table$segment, function(s) {
    rows <- means[means$segment == s & means$kind == "scale" & is.finite(means$effect), ]
    if (nrow(rows) == 0L) return(paste("Segment", s))
    rows <- utils::head(rows[order(-abs(rows$effect)), ], 2L)
    text <- paste(ifelse(rows$effect > 0, "high", "low"), rows$label, collapse = ", ")
    paste0(toupper(substr(text, 1L, 1L)), substr(text, 2L, nchar(text)))
  }, "")
  name <- suggested
  given <- intersect(names(names), as.character(segments$table$segment))
  name[as.integer(given)] <- unlist(names[given])
  data.frame(
    segment = segments$table$segment, name = name, suggested = suggested, n = segments$table$n,
    weighted = segments$table$weighted, share = segments$table$share
  )
}
