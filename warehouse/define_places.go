package warehouse

import "context"

var placeDefinitions = []Definition{
	{
		Code: "H1", Version: "1", Name: "Hotspots: shrunk rate of issues", ChineseName: "问题热点（收缩率）",
		Meaning:     "Issues per 1,000 person-years by region, where small regions are drawn towards the common rate by as much as chance explains.",
		Numerator:   "Distinct issues with origin in the window; repeats are shown apart.",
		Denominator: "Population in the middle of the window, interpolated between years (each at its middle), times the years of the window. Where a region has no number of its own, the sum of its children if all are known.",
		Anchor:      "RECEIVED",
		Censoring:   "None. The window ends at as-of.",
		Interval:    "95 % Gamma interval of the posterior.",
		Source:      "Marshall 1991 (empirical Bayes), as GeoDa and spdep compute it.",
		Method:      "Marshall's global empirical Bayes over the regions, per category; 95 % Gamma interval",
		Caveats: []string{
			"Many issues may mean many problems, or people who trust that reporting helps; few may mean silence.",
			"Regions without a known population have no rate (noPopulation); merged issues and those of unknown region are left out and counted.",
			"Where the regions differ no more than chance explains there is no between-area signal: no interval, and no rank.",
			"Equal rates share the lower rank number.",
			"localRate is drawn towards the rate of the region and its neighbours together; it needs to be known which regions touch.",
		},
	},
	{
		Code: "H4", Version: "1", Name: "Temporal surprise", ChineseName: "异常增长",
		Meaning:     "How surprising the number of issues of the last whole week is, given the weeks before.",
		Numerator:   "Issues with origin in the last whole week.",
		Denominator: "What the past lets expect: the same weeks of up to five years with trend and season where there are about two years (Farrington), else all weeks before (gamma–Poisson).",
		Anchor:      "RECEIVED",
		Censoring:   "The week that is not over is left out; merged issues count with their target.",
		Interval:    "The upper limit is the 0.99 quantile of what is expected.",
		Source:      "Farrington and others 1996; Noufaily and others 2013, as farringtonFlexible of R's surveillance.",
		Method:      "Farrington flexible, or gamma–Poisson predictive with a Jeffreys prior; surprise = −log2 P(Y ≥ y); Benjamini–Hochberg over the rows",
		Caveats: []string{
			"alarm: above the limit, at least 5 issues in 4 weeks, and q at most 0.05.",
			"A surprise says that something changed, in the world or in how it is reported, not what.",
			"Fewer than 8 weeks before are not judged.",
		},
	},
	{
		Code: "H5", Version: "2", Name: "Reporting-rate index", ChineseName: "反映意愿指数",
		Meaning:     "How readily a place reports: how often an issue is told of again while it lasts, compared with the same matters elsewhere.",
		Numerator:   "Opinions beyond the first that came within 30 days of the first and before the claim, those of merged issues among them.",
		Denominator: "What the days of exposure of its issues would bring at the rates of their categories.",
		Anchor:      "RECEIVED",
		Censoring:   "Exposure ends at the claim, after 30 days, or at as-of.",
		Interval:    "95 % Garwood on the repeats, over the expected ones.",
		Source:      "Liu, Bhandaram and Garg 2023, on reports in New York; Garwood 1936.",
		Method:      "observed to expected repeats with category effects (Liu, Bhandaram and Garg 2023); 95 % exact Poisson",
		Former:      []Former{{"1", "Opinions of issues that were merged into another counted nowhere.", "observed to expected repeats with category effects (Liu, Bhandaram and Garg 2023); 95 % exact Poisson"}},
		Caveats: []string{
			"silent: the index is below 0.5 and its interval below 1. Where few issues come in as well (H1), send a visit.",
			"Only categories with at least 20 repeats are in it, and only issues of a known category.",
			"delayDays is how long, on average, an incident would wait for its next report.",
		},
	},
	{
		Code: "E1", Version: "1", Name: "Equity of resolution between regions", ChineseName: "区域均衡",
		Meaning:     "Whether a region's share confirmed within 60 days lies within what chance and the differences between regions explain.",
		Numerator:   "CIF of confirmation at 60 days (T2), by category, weighted as all regions together have the categories.",
		Denominator: "All issues with origin in the window, except merged ones.",
		Anchor:      "RECEIVED",
		Censoring:   "As T2.",
		Interval:    "Limits of 95 and 99.8 %, widened by additive over-dispersion from 10 regions on; standardised: normal, with the variances of its categories.",
		Source:      "Spiegelhalter 2005 (funnel plots); Goldstein and Spiegelhalter 1996 (why no league tables).",
		Method:      "direct standardisation to the pooled mix; funnel (Spiegelhalter 2005)",
		Caveats: []string{
			"above and below are beyond the 99.8 % limits. There are no ranks: regions within the limits do not differ.",
			"covered says which part of the standard mix the region has; the rest is weighted up.",
		},
	},
	{
		Code: "E1B", Version: "1", Name: "Gap of time open between kinds of places", ChineseName: "城乡与点位类型办理时间差距",
		Meaning:     "How much longer matters stay open in rural places than in urban ones, or at sites of one kind than in general, were their categories the same.",
		Numerator:   "Mean time open during the first 90 days (RMST) of each kind of place, every category weighted as in all issues together.",
		Denominator: "The same of urban places; for kinds of sites, of all issues.",
		Anchor:      "RECEIVED",
		Censoring:   "As T2: open issues at as-of, claims that await the verdict at the claim.",
		Interval:    "95 % normal, with Greenwood's variances of the categories.",
		Source:      "Direct standardisation; Royston and Parmar 2013 (restricted mean).",
		Method:      "restricted mean to 90 days by Kaplan–Meier, all causes; direct standardisation to the pooled mix; difference",
		Caveats: []string{
			"Positive means longer. Where a kind lacks a category, the rest is weighted up: see covered.",
			"Any end counts, an explanation too: compare with E1 for what was confirmed.",
		},
	},
}

var placeMeasures = []Measure{
	{
		Definition: definition("H1"), Dimensions: placeDimensions, Headline: "rate",
		Columns: []Column{
			{"issues", "issues", "Issues", "问题数"},
			{"repeats", "opinions", "Opinions beyond the first", "重复反映"},
			{"personYears", "person-years", "Person-years", "人年"},
			{"rawRate", "issues per 1,000 person-years", "Rate as it is", "原始率"},
			{"rate", "issues per 1,000 person-years", "Shrunk rate", "收缩率"},
			{"weight", "share", "Weight of the raw rate", "原始率权重"},
			{"rank", "rank", "Rank", "位次"},
			{"localRate", "issues per 1,000 person-years", "Rate shrunk towards its surroundings", "局部收缩率"},
		},
		Answer: func(m *Measures, ctx context.Context, q Question) (*Table, error) {
			return m.Hotspots(ctx, q.hotspotQuery())
		},
	},
	{
		Definition: definition("H4"), Dimensions: []Dimension{ByRegion, ByCategory, ByChannel, ByKind, BySeverity}, Headline: "bits",
		Columns: []Column{
			{"observed", "issues", "Issues of the last whole week", "上周件数"},
			{"lastFourWeeks", "issues", "Issues of the last four weeks", "近四周件数"},
			{"expected", "expected issues", "Expected", "预期件数"},
			{"upper", "expected issues", "Upper limit", "上限"},
			{"bits", "bits", "Surprise", "意外程度"},
			{"p", "probability", "P of so many or more", "尾概率"},
			{"q", "probability", "Adjusted p", "校正p值"},
		},
		Answer: (*Measures).Surprise,
	},
	{
		Definition: definition("H5"), Dimensions: []Dimension{ByRegion}, Headline: "index",
		Columns: []Column{
			{"index", "ratio", "Reporting-rate index", "反映意愿指数"},
			{"repeats", "opinions", "Repeats", "重复反映"},
			{"expected", "expected opinions", "Expected repeats", "预期重复反映"},
			{"days", "d", "Days of exposure", "暴露天数"},
			{"delayDays", "d", "Days until the next report", "下次反映等待天数"},
		},
		Answer: (*Measures).ReportingRate,
	},
	{
		Definition: definition("E1"), Dimensions: []Dimension{ByRegion}, Headline: "standardised",
		Columns: []Column{
			{"crude", "share", "Confirmed within 60 days", "60日确认解决率"},
			{"standardised", "share", "The same, with the mix of all regions", "标准化60日确认解决率"},
			{"target", "share", "Of all regions", "总体水平"},
			{"low95", "limit", "Lower 95 % limit", "95%下限"},
			{"high95", "limit", "Upper 95 % limit", "95%上限"},
			{"low998", "limit", "Lower 99.8 % limit", "99.8%下限"},
			{"high998", "limit", "Upper 99.8 % limit", "99.8%上限"},
			{"covered", "ratio", "Part of the standard mix that the region has", "标准构成覆盖比例"},
		},
		Answer: (*Measures).Equity,
	},
	{
		Definition: definition("E1B"), Dimensions: []Dimension{ByUrbanRural, BySiteKind}, Headline: "gapDays",
		Columns: []Column{
			{"rmst90Days", "d", "Mean time open during the first 90 days, standardised", "标准化前90日平均在办时间"},
			{"gapDays", "d", "Gap", "差距"},
			{"crudeDays", "d", "The same as it is", "未标准化"},
			{"covered", "ratio", "Part of the standard mix that the kind has", "标准构成覆盖比例"},
		},
		Answer: (*Measures).TimeGap,
	},
}
