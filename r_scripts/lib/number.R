# How many segments: what speaks for each number from 1 on, one recommendation, the verdict and the
# words for them: the rules of psychoseg/segments/number.py and psychoseg/stats/{choice,verdict}.py.
#
# Takes cuts of a tree with what was computed of them; computes no tree and draws nothing.

# The constants of psychoseg/stats/choice.py, by their names there.
choice_rules <- list(
  alpha = 0.03, # gaps are believed up to this p-value
  worth = 1, # a division speaks for itself where it exceeds single clouds by more, in their sd
  cap = 2 # and counts for or against by no more
)

# ---- the table ----

choice_table <- function(ks, cuts, widths, jaccards, within, nodes, weights, people, settings) {
  rows <- lapply(seq_along(ks), function(j) {
    mass <- total_by(weights, cuts[[j]], ks[[j]])
    n <- total_by(people, cuts[[j]], ks[[j]])
    share <- mass / sum(mass)
    divided <- ks[[j]] > 1L
    mean_jaccard <- if (divided) sum(share * jaccards[[j]]) else NA_real_
    least <- if (divided) min(jaccards[[j]]) else NA_real_
    outside <- ks[[j]] < settings$k_min || ks[[j]] > settings$k_max
    against <- c(
      if (!divided) {
        "nobody is divided"
      } else if (outside) {
        sprintf("outside the %d to %d that are looked for", settings$k_min, settings$k_max)
      },
      if (min(share) < settings$min_share) sprintf("smallest segment %.1f%%", 100 * min(share)),
      if (min(n) < settings$min_people) sprintf("smallest segment %.0f people", min(n)),
      if (divided && mean_jaccard < settings$stable_jaccard) {
        sprintf("does not come back (Jaccard %s)", beside(mean_jaccard, settings$stable_jaccard))
      } else if (divided && least < settings$min_jaccard) {
        sprintf(
          "one segment does not come back (Jaccard %s)", beside(least, settings$min_jaccard)
        )
      }
    )
    data.frame(
      k = ks[[j]],
      silhouette = if (divided) sum(weights * widths[[j]]) / sum(weights) else NA_real_,
      jaccard_mean = mean_jaccard, jaccard_min = least, smallest_share = min(share),
      smallest_n = round(min(n)), eligible = length(against) == 0L, chosen = FALSE,
      why = if (length(against) > 0L) {
        paste(against, collapse = "; ")
      } else {
        "large enough and stable"
      },
      within = within[[j]], division_p = if (divided) nodes$p_value[[j - 1L]] else NA_real_
    )
  })
  do.call(rbind, rows)
}

# Two decimals, or three where two would print a value below a threshold as on it.
beside <- function(value, threshold) {
  text <- sprintf("%.2f", value)
  if (value < threshold && threshold <= as.numeric(text)) sprintf("%.3f", value) else text
}

# ---- the choice ----

# `choice` from k = 1 on, `nodes` for the divisions between its rows.
recommend <- function(choice, test, nodes) {
  rules <- choice_rules
  score <- c(0, cumsum(pmin(pmax(nodes$excess - rules$worth, -rules$cap), rules$cap)))
  allowed <- choice$eligible & choice$k >= 2L
  if (test$p_value > rules$alpha || nrow(choice) == 1L) {
    order <- ranked(ifelse(is.na(choice$silhouette), -1, choice$silhouette), allowed)
    return(list(
      k = 1L, runner_up = order[1L], score = score, eligible = TRUE,
      reason = paste0(
        "There are no gaps between groups of people beyond those that one cloud of people with ",
        "the same correlations would have (p = ", sprintf("%.2f", test$p_value), "): people ",
        "differ by degrees."
      ),
      runner_up_reason = if (length(order) == 0L) "" else paste(
        "If segments are wanted all the same,", order[[1L]], "divide the continuum most",
        "compactly, of all numbers whose segments are large enough and come back when the survey",
        "is repeated."
      )
    ))
  }
  order <- ranked(score, if (any(allowed)) allowed else choice$k >= 2L)
  best <- which.max(round(score[-1L], 9L)) + 1L
  list(
    k = order[[1L]], runner_up = order[2L], score = score, eligible = any(allowed),
    reason = paste(c(
      sprintf(paste(
        "There are gaps between groups of people that one cloud of people with the same",
        "correlations would not have (p = %.2f)."
      ), test$p_value),
      divisions(nodes$p_value, order[[1L]]),
      if (any(allowed) && !allowed[[best]]) paste(
        best, "segments would follow the gaps more closely, but at least one of them is too small",
        "or does not come back when the survey is repeated."
      ),
      if (!any(allowed)) paste(
        "No number of segments gives groups that are all large enough and come back when the",
        "survey is repeated: this one is for illustration."
      )
    ), collapse = " "),
    runner_up_reason = if (length(order) < 2L) "" else runner_up_reason(order, score)
  )
}

# The allowed k by descending score, equal ones by ascending k.
ranked <- function(score, allowed) {
  k <- order(-round(score, 9L), seq_along(score))
  k[allowed[k]]
}

divisions <- function(p_value, k) {
  shown <- sum(p_value[seq_len(k - 1L)] <= choice_rules$alpha)
  further <- sum(p_value[-seq_len(k - 1L)] <= choice_rules$alpha)
  text <- if (shown == 0L) {
    paste(k, "segments are the best of a weak lot: none of their borders is sure to be a gap")
  } else if (k == 2L) {
    "2 segments have a gap between them"
  } else if (shown == k - 1L) {
    paste("Each of the", k - 1L, "divisions that lead to", k, "segments runs along a gap")
  } else {
    paste(
      "Of the", k - 1L, "divisions that lead to", k, "segments", shown,
      if (shown == 1L) "runs along a gap" else "run along a gap"
    )
  }
  paste0(text, if (k - 1L == length(p_value)) {
    "; more segments were not looked at."
  } else if (further == 0L) {
    "; any further one would cut through a group without gaps."
  } else {
    "; most further ones would cut through groups without gaps."
  })
}

runner_up_reason <- function(order, score) {
  close <- score[[order[[1L]]]] - score[[order[[2L]]]] < choice_rules$worth
  paste0(
    order[[2L]], " segments follow the gaps ", if (close) "almost as well" else "less well",
    ". They are ", if (order[[2L]] < order[[1L]]) "fewer and coarser" else "more and finer",
    ": take them where they are easier to act on."
  )
}

# The number that is shown, how it came about, and the verdict on it; `choice` has a score.
decide <- function(choice, advice, test, settings) {
  is_large <- choice$smallest_share >= settings$min_share &
    choice$smallest_n >= settings$min_people
  k <- shown_k(choice, advice, is_large, settings)
  row <- choice[choice$k == k, ]
  large <- is_large[choice$k == k]
  c(
    list(k = k, k_rule = k_rule(k, large, advice, settings)),
    verdict(row, large, test, settings)
  )
}

shown_k <- function(choice, advice, is_large, settings) {
  if (settings$k != "auto") return(settings$k)
  if (advice$eligible && advice$k > 1L) return(advice$k)
  if (advice$k == 1L && !is.na(advice$runner_up)) return(advice$runner_up)
  searched <- choice$k >= settings$k_min & choice$k <= settings$k_max
  best <- function(rows, by) rows$k[[which.max(round(rows[[by]], 9L))]]
  if (any(searched & is_large)) return(best(choice[searched & is_large, ], "silhouette"))
  best(choice[searched, ], "smallest_share")
}

k_rule <- function(k, large, advice, settings) {
  if (settings$k != "auto") return(paste(k, "segments, set in the study"))
  asked <- sprintf(
    paste(
      "%d to %d segments whose smallest holds at least %.0f%% and %d respondents and that come",
      "back in %d bootstrap resamples (mean Jaccard at least %.2f, each segment at least %.2f)"
    ),
    settings$k_min, settings$k_max, 100 * settings$min_share, settings$min_people,
    settings$bootstrap, settings$stable_jaccard, settings$min_jaccard
  )
  if (advice$k > 1L && advice$eligible) {
    return(paste0(
      k, " segments: of ", asked, ", those whose divisions exceed what single clouds of people ",
      "would show by most"
    ))
  }
  if (advice$k == 1L && k %in% advice$runner_up) {
    return(paste0(
      k, " segments: people form one cloud, and of ", asked, ", these divide it most compactly ",
      "(highest average silhouette)"
    ))
  }
  paste0(
    k, " segments, for illustration: there are none of the ", asked, ", and this has the ",
    if (large) "highest average silhouette of those large enough" else "largest smallest segment"
  )
}

# Natural, reproducible or constructed: Dolnicar & Leisch (2010), Marketing Letters 21, 83-101.
verdict <- function(row, large, test, settings) {
  k <- row$k
  p <- sprintf("%.2f", test$p_value)
  gaps <- test$p_value <= choice_rules$alpha
  back <- row$jaccard_mean >= settings$stable_jaccard && row$jaccard_min >= settings$min_jaccard
  numbers <- sprintf(
    "mean Jaccard %s over %d resamples, the least stable segment %s",
    beside(row$jaccard_mean, settings$stable_jaccard), settings$bootstrap,
    beside(row$jaccard_min, settings$min_jaccard)
  )
  if (gaps && row$score > 0 && large) {
    return(list(verdict = "natural", reason = paste0(
      "There are gaps between groups of people that a single cloud does not have (p = ", p,
      "), and these ", k, " segments follow them; they ",
      if (back) "come back" else "do not all come back", " when the survey is redrawn (", numbers,
      ")."
    )))
  }
  if (large && back) {
    return(list(verdict = "reproducible", reason = paste0(
      "The same ", k, " segments come back when the survey is redrawn (", numbers, "), though ",
      if (gaps) {
        "the gaps that there are lie elsewhere"
      } else {
        paste0("no gaps between them were found (p = ", p, " against a single cloud)")
      }, ": they divide a continuum, dependably."
    )))
  }
  reason <- if (back) {
    sprintf(
      paste(
        "No stable segments: these %d come back when the survey is redrawn (%s), but not all are",
        "large enough to count on (the smallest has %.0f respondents, %.1f%%; %d and %.0f%% are",
        "asked for)."
      ),
      k, numbers, row$smallest_n, 100 * row$smallest_share, settings$min_people,
      100 * settings$min_share
    )
  } else {
    sprintf(
      paste(
        "No stable segments: when the survey is redrawn, these %d do not come back (%s; %.2f and",
        "%.2f are asked for). Read them as one way to divide a continuum, not as groups that exist."
      ),
      k, numbers, settings$stable_jaccard, settings$min_jaccard
    )
  }
  list(verdict = "constructed", reason = reason)
}
