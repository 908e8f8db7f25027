# Does the whole job from the R side: answers -> scales -> segments -> profiles, in R's own
# packages.
#
# Takes:  a study folder with study.toml and the data files it names (CSV, TSV, SPSS).
# Writes: a run folder of the same tidy CSVs as `psychoseg run`: survey/{ledger,codebook}.csv,
#         scales/*.csv, segments/*.csv, segments/summary.json, profiles/*.csv, respondents.csv,
#         study.toml, manifest.json.
#
# It shares no code with the Python package, so that a study can be checked by a second program. It
# is slower, has no report of its own (persona_report.R draws one from what it writes) and reads no
# Excel workbooks.

usage <- "Usage: Rscript segment_survey.R STUDY_FOLDER [OUT_FOLDER] [--quiet]

Segments a survey with psych, cluster, fastcluster and stats::hclust, and writes the tables of a
run folder.

  STUDY_FOLDER  a folder that holds study.toml, or that file
  OUT_FOLDER    where the tables go (
    STUDY_FOLDER/runs/r; replaced where an earlier run of this script wrote it
  )
  --quiet       no lines about the progress on stderr

Exit status: 0 done, 2 the input is wrong (one sentence says how), 1 a fault of the script.
"

script_folder <- function() {
  sourced <- if (sys.nframe() > 1L) sys.frame(1L)$ofile # read by source(), as the tests do
  file <- sourced
  if (is.null(file)) file <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
  dirname(gsub("~+~", " ", file, fixed = TRUE)) # Rscript writes a space as ~+~
}
here <- script_folder()
parts <- c(
  "common", "study", "read", "clean", "scales", "cloud", "number", "segments", "profiles"
)
for (part in parts) source(file.path(here, "lib", paste0(part, ".R")), encoding = "UTF-8")

packages <- c("psych", "GPArotation", "cluster", "fastcluster", "RcppTOML", "jsonlite")

main <- function(args) {
  started <- Sys.time()
  need_packages(packages)
  study <- read_study(args[[1L]])
  out <- if (length(args) == 2L) args[[2L]] else file.path(study$folder, "runs", "r")
  check_out(out)
  notes <- character()
  result <- withCallingHandlers(segment(study), warning = function(w) {
    notes <<- c(notes, one_line(conditionMessage(w)))
  })
  write_run(result, study, out, notes, started)
  message(
    result$survey$n_read, " respondents read, ", sum(result$segments$table$n), " in ",
    result$segments$k, " segments (",
    result$segments$summary$verdict, "); wrote ", out
  )
}

segment <- function(study) {
  set.seed(
    study$study$seed, kind = "Mersenne-Twister", normal.kind = "Inversion",
    sample.kind = "Rejection"
  )
  survey <- read_survey(study)
  left_aside <- for_python_alone(study)
  if (length(left_aside) > 0L) {
    warning(
      paste(left_aside, collapse = ", "), " of study.toml ",
      if (length(left_aside) == 1L) "is" else "are",
      " for the reports of psychoseg run and left aside here", call. = FALSE
    )
  }
  scales <- fit_scales(survey, study$scales)
  progress(nrow(scales$table), " scales; segments")
  segments <- fit_segments(survey, scales, study$segments, study$reduce)
  progress(segments$k, " segments; profiles")
  profiles <- profile_segments(survey, scales, segments, study$segments$names)
  list(survey = survey, scales = scales, segments = segments, profiles = profiles)
}

# ---- writing ----

check_out <- function(out) {
  if (!file.exists(out)) return(invisible())
  manifest <- file.path(out, "manifest.json")
  ours <- file.exists(manifest) && identical(
    jsonlite::read_json(manifest)$program, "segment_survey.R"
  )
  if (!ours) fail(out, " exists and is not an earlier run of this script; name another OUT_FOLDER.")
}

# Written beside the target and renamed at the end: a run that dies leaves no half-written folder.
write_run <- function(result, study, out, notes, started) {
  dir.create(dirname(out), recursive = TRUE, showWarnings = FALSE)
  part <- file.path(dirname(out), sprintf(".%s.part-%d", basename(out), Sys.getpid()))
  if (!dir.create(part, showWarnings = FALSE)) {
    fail("cannot write into ", dirname(out), ": name another OUT_FOLDER.")
  }
  on.exit(unlink(part, recursive = TRUE))
  tables <- run_tables(result)
  for (name in names(tables)) write_table(tables[[name]], file.path(part, paste0(name, ".csv")))
  write_json(result$segments$summary, file.path(part, "segments", "summary.json"))
  file.copy(study$file, file.path(part, "study.toml"))
  write_json(manifest(result, study, notes, started), file.path(part, "manifest.json"))
  unlink(out, recursive = TRUE)
  if (!file.rename(part, out)) fail("cannot write ", out, ": name another OUT_FOLDER.")
}

run_tables <- function(result) {
  scales <- result$scales
  segments <- result$segments
  tables <- list(
    `survey/ledger` = rbind(result$survey$ledger, segments$ledger),
    `survey/codebook` = result$survey$variables,
    `scales/table` = scales$table, `scales/items` = scales$items,
    `scales/loadings` = scales$loadings,
    `scales/phi` = scales$phi, `scales/factors` = scales$factors,
    `scales/eigenvalues` = scales$eigenvalues,
    `scales/correlations` = data.frame(
      item = rownames(scales$corr), scales$corr, check.names = FALSE
    ),
    `segments/table` = segments$table, `segments/choice` = segments$choice,
    `segments/null` = segments$null, `segments/tree` = segments$tree,
    `segments/points` = segments$points, `segments/features` = segments$features,
    `segments/eigenvalues` = segments$eigenvalues, `segments/components` = segments$components,
    `profiles/means` = result$profiles$means, `profiles/shares` = result$profiles$shares,
    `profiles/personas` = result$profiles$personas, respondents = respondent_table(result)
  )
  tables[!vapply(tables, is.null, logical(1))]
}

respondent_table <- function(result) {
  segments <- result$segments
  there <- !is.na(segments$labels)
  label <- segments$labels[there]
  point <- segments$points[segments$point_of[there], ]
  data.frame(
    id = result$survey$ids[there], weight = result$survey$weights[there],
    result$scales$scores[there, , drop = FALSE], segment = label,
    segment_name = result$profiles$personas$name[label], silhouette = segments$silhouette[there],
    map_1 = point$comp_1, map_2 = if (is.null(point$comp_2)) 0 else point$comp_2,
    check.names = FALSE
  )
}

manifest <- function(result, study, notes, started) {
  specs <- c(list(study$data), study$merge)
  files <- c("study.toml", unlist(lapply(specs, function(spec) c(spec$file, spec$labels))))
  paths <- c(study$file, file.path(study$folder, files[-1L]))
  version <- function(package) as.character(utils::packageVersion(package))
  excluded <- sum(result$survey$ledger$effect == "excluded") + nrow(result$segments$ledger)
  list(
    program = "segment_survey.R",
    inputs = stats::setNames(as.list(unname(tools::md5sum(paths))), paste("md5 of", files)),
    versions = c(list(R = R.version.string), stats::setNames(lapply(packages, version), packages)),
    seed = study$study$seed,
    respondents = list(
      read = result$survey$n_read, segmented = sum(result$segments$table$n), excluded = excluded
    ),
    seconds = round(as.numeric(difftime(Sys.time(), started, units = "secs")), 2L),
    warnings = as.list(notes)
  )
}

write_json <- function(value, file) {
  jsonlite::write_json(value, file, auto_unbox = TRUE, pretty = TRUE, digits = NA)
}

if (sys.nframe() == 0L) run_script(main, usage, max_args = 2L)
