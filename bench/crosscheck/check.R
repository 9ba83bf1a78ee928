# The same questions, asked of R: survival, cmprsk, spdep, surveillance, and base R. Reads the tables that the command wrote to the
# directory given, and prints one "name,value" a line.
suppressPackageStartupMessages({ library(survival); library(cmprsk); library(spdep); library(surveillance) })
dir <- commandArgs(trailingOnly = TRUE)[1]
table <- function(name) read.csv(file.path(dir, paste0(name, ".csv")))
say <- function(name, value) cat(sprintf("%s,%.17g\n", name, value))

# Time to an event, all causes: Kaplan-Meier with log-log limits, median by Brookmeyer-Crowley, restricted mean.
lives <- table("lives")
for (kind in c("km", "entry")) {
  s <- if (kind == "km") Surv(lives$time, lives$cause > 0) else Surv(lives$entry, lives$time, lives$cause > 0)
  fit <- survfit(s ~ 1, conf.type = "log-log")
  at <- summary(fit, times = c(30, 60, 90))
  for (i in 1:3) {
    say(sprintf("%s S(%d)", kind, c(30, 60, 90)[i]), at$surv[i])
    say(sprintf("%s S(%d) low", kind, c(30, 60, 90)[i]), at$lower[i])
    say(sprintf("%s S(%d) high", kind, c(30, 60, 90)[i]), at$upper[i])
  }
  if (kind == "km") {
    q <- quantile(fit, probs = 0.5)
    say("km median", q$quantile); say("km median low", q$lower); say("km median high", q$upper)
    m <- survival:::survmean(fit, rmean = 90)$matrix
    say("km RMST(90)", m["rmean"]); say("km RMST(90) se", m[grep("^se", names(m))])
  }
}

# Cumulative incidences with competing causes.
ci <- timepoints(cuminc(lives$time, lives$cause), c(30, 60, 90))$est
for (cause in 1:4) for (t in c(30, 60, 90)) {
  say(sprintf("CIF%d(%d)", cause, t), ci[grep(sprintf("^1 %d$", cause), rownames(ci)), as.character(t)])
}

# Proportions and Poisson counts.
p <- table("proportions")
for (i in seq_len(nrow(p))) {
  w <- suppressWarnings(prop.test(p$x[i], p$n[i], correct = FALSE)$conf.int)
  c <- binom.test(p$x[i], p$n[i])$conf.int
  g <- poisson.test(p$x[i])$conf.int
  for (side in 1:2) {
    say(sprintf("Wilson %d of %d %d", p$x[i], p$n[i], side), w[side])
    say(sprintf("Clopper-Pearson %d of %d %d", p$x[i], p$n[i], side), c[side])
    say(sprintf("Garwood %d %d", p$x[i], side), g[side])
  }
}

# False discovery rate.
q <- p.adjust(table("p")$p, "BH")
for (i in seq_along(q)) say(sprintf("BH %d", i), q[i])

# Empirical Bayes rates (Marshall's global estimator).
a <- table("areas")
eb <- EBest(a$issues, a$exposure)$estmm
for (i in seq_along(eb)) say(sprintf("EB %d", i), eb[i])

# Gi* on a grid of queen neighbours with self.
g <- table("grid")
near <- table("near")
nb <- lapply(seq_len(nrow(g)), function(i) as.integer(near$neighbour[near$area == i]))
class(nb) <- "nb"
z <- as.numeric(localG(g$x, nb2listw(include.self(nb), style = "B")))
for (i in seq_along(z)) say(sprintf("Gi* %d", i), z[i])

# Weekly surprise: Farrington with the refinements of Noufaily 2013.
weeks <- table("weeks")
for (series in unique(weeks$series)) {
  w <- weeks$count[weeks$series == series]
  n <- length(w)
  control <- list(range = n, b = 5, w = 3, noPeriods = 10, pastWeeksNotIncluded = 8, reweight = TRUE, weightsThreshold = 2.58,
    thresholdMethod = "nbPlugin", alpha = 0.01, trend = TRUE, pThresholdTrend = 1, populationOffset = FALSE, fitFun = "algo.farrington.fitGLM.flexible",
    verbose = FALSE, glmWarnings = FALSE, limit54 = c(0, 4))
  sts <- sts(observed = w, start = c(2001, 1), frequency = 52)
  f <- suppressWarnings(farringtonFlexible(sts, control))
  say(sprintf("Farrington %d limit", series), as.numeric(upperbound(f)))
  say(sprintf("Farrington %d expected", series), as.numeric(control(f)$expected))
}

# Group-time effects written down once more, from the definition.
d <- table("panel")
y <- xtabs(y ~ region + t, d)
y[] <- d$y[order(d$t, d$region)]
first <- tapply(d$treated, d$region, function(v) v[1])
for (g in sort(unique(first[first >= 0]))) for (t in 1:(ncol(y) - 1)) {
  base <- if (t >= g) g - 1 else t - 1
  change <- y[, t + 1] - y[, base + 1]
  control <- first != g & (first < 0 | first > max(t, base))
  if (base >= 0 && any(control)) say(sprintf("ATT(%d,%d)", g, t), mean(change[first == g]) - mean(change[control]))
}
