package warehouse

var formalismDefinitions = []Definition{
	{
		Code: "F1", Version: "2", Name: "Traceless visits", ChineseName: "走访无痕",
		Meaning:     "Of the visits that were held, the share that left nothing within 14 days: no opinion, no issue, no question about policy, and nobody's word that nothing was raised.",
		Numerator:   "Held visits with, within 14 days of their end, no opinion voiced at them, no issue raised by them, and neither an answered question of policy nor a citizen's or host's word that nothing was raised; visits that propagate policy with neither opinion nor issue and without an audience that asked at least one question about it.",
		Denominator: "Visits held that ended at least 14 days before as-of.",
		Anchor:      "VISIT_END",
		Censoring:   "None: visits enter when they are 14 days old.",
		Interval:    "95 % Wilson.",
		Method:      "share of visits held, 95 % Wilson",
		Caveats: []string{
			"A visit may find that all is well: what is said of it is for a reviewer to judge.",
			"Where nobody notes which policies were talked of, visits that propagate policy leave traces only by what was raised.",
			"Version 1 counted neither questions of policy nor attestations as traces.",
		},
	},
	{
		Code: "F2", Version: "1", Name: "Closings without the citizen", ChineseName: "“被办结”",
		Meaning:     "Of what was closed, the share in whose closing the citizen had no say.",
		Numerator:   "Closings without a verdict (UNCONFIRMED), as EXPLAINED though the citizen had said NO or PARTLY, or where only the handler collected a verdict.",
		Denominator: "Issues closed at as-of, except merged and withdrawn ones.",
		Anchor:      "CLOSED",
		Censoring:   "None.",
		Interval:    "95 % Wilson.",
		Method:      "share of closings, 95 % Wilson",
		Caveats:     []string{"An UNCONFIRMED closing may follow honest attempts to reach the citizen: see Q3."},
	},
	{
		Code: "F4", Version: "1", Name: "Deadline bunching of visits", ChineseName: "季末突击走访",
		Meaning:     "Whether visits are put off to the last 7 days of a quarter.",
		Numerator:   "Visits held in the last 7 days of a quarter, per day.",
		Denominator: "Visits held on its other days, per day.",
		Anchor:      "VISIT_END",
		Censoring:   "Only whole quarters that are over at as-of count.",
		Interval:    "None on the ratio; a one-sided exact binomial test, adjusted over the rows.",
		Method:      "ratio of daily rates; one-sided exact binomial; Benjamini–Hochberg",
		Caveats: []string{
			"Fewer than 20 visits are not tested.",
			"Days are days of the calendar. Many visits at the end need not be poor ones: compare with F1.",
		},
	},
	{
		Code: "F5", Version: "1", Name: "Instant and on-the-line claims", ChineseName: "秒办与踩点办结",
		Meaning:     "Claims of a remedy that came too soon to be true, or just before they were due.",
		Numerator:   "(a) FIXED claims within 10 minutes of the first dispatch. (b) FIXED claims in the last 4 hours before they were due.",
		Denominator: "(a) FIXED claims. (b) The mean of the two times 4 hours before.",
		Anchor:      "CLAIMED",
		Censoring:   "None.",
		Interval:    "95 %: (a) Wilson, (b) exact conditional ratio of two Poisson counts.",
		Method:      "share of FIXED claims, 95 % Wilson; ratio of counts, exact conditional 95 %",
		Caveats: []string{
			"Claims that were imported are left out: many crews log in bulk.",
			"Hours are hours of the clock, not working hours.",
		},
	},
	{
		Code: "I1", Version: "1", Name: "Rota adherence", ChineseName: "轮值履行率",
		Meaning:     "Of the turns of the rota whose window is over, the share that was taken within it.",
		Numerator:   "Slots FULFILLED by a visit of their kind and place, held within the window by whose turn it was; for done, LATE ones too.",
		Denominator: "Slots whose window is over at as-of: EXCUSED, MISSED and LATE ones among them.",
		Anchor:      "SLOT_DUE",
		Censoring:   "None. For 14 days after its window a slot that is not done is still open (provisional).",
		Interval:    "95 % Wilson.",
		Method:      "share of slots due, 95 % Wilson",
		Caveats: []string{
			"A turn that was swapped counts once, for whoever took it.",
			"That a turn was taken says nothing of what it did: see F1, F4 and Q5.",
		},
	},
	{
		Code: "I2", Version: "1", Name: "Coverage of sites", ChineseName: "走访覆盖率",
		Meaning:     "Which part of the sites that should be visited was, and how long they wait between visits.",
		Numerator:   "Eligible sites with a visit held in the 365 days before as-of.",
		Denominator: "Sites eligible at as-of.",
		Anchor:      "STOCK",
		Censoring:   "Gaps that are still open at as-of, those of sites never visited among them, are censored, not dropped.",
		Interval:    "95 %: Wilson on the share, Brookmeyer–Crowley on the gaps.",
		Method:      "share of eligible sites, 95 % Wilson; Kaplan–Meier of gaps, from the first day of eligibility",
		Caveats:     []string{"A site counts as eligible from the day it was recorded, where no other day is known."},
	},
}

var formalismMeasures = []Measure{
	{
		Definition: definition("F1"), Dimensions: visitDimensions, Headline: "traceless",
		Columns: []Column{
			{"traceless", "share", "Visits that left nothing", "无痕走访占比"},
			{"withoutOpinion", "share", "Visits without an opinion", "未收集意见占比"},
			{"tracelessVisits", "visits", "Visits that left nothing", "无痕走访次数"},
		},
		Answer: (*Measures).TracelessVisits,
	},
	{
		Definition: definition("F2"), Dimensions: issueDimensions, Headline: "withoutCitizen",
		Columns: []Column{
			{"withoutCitizen", "share", "Closed without the citizen", "未经群众办结占比"},
			{"unconfirmed", "share", "Closed without a verdict", "未能确认占比"},
			{"againstDisagreement", "share", "Explained against disagreement", "群众不认可而办结占比"},
			{"handlerOnly", "share", "Verdict collected by the handler alone", "仅承办方回访占比"},
		},
		Answer: (*Measures).ClosedWithoutCitizen,
	},
	{
		Definition: definition("F4"), Dimensions: []Dimension{ByRegion}, Headline: "ratio",
		Columns: []Column{
			{"ratio", "ratio", "Daily rate in the last 7 days to that before", "末周日均倍数"},
			{"expected", "visits", "Expected in the last 7 days", "末周预期次数"},
			{"inWindow", "visits", "Visits in the last 7 days", "末周次数"},
			{"excessShare", "share of visits", "Beyond what is expected", "超出占比"},
			{"p", "probability", "One-sided exact p", "单侧精确p值"},
			{"q", "probability", "Adjusted p", "校正p值"},
		},
		Answer: (*Measures).DeadlineBunching,
	},
	{
		Definition: definition("F5"), Dimensions: issueDimensions, Headline: "instant",
		Columns: []Column{
			{"instant", "share", "Claimed within 10 minutes", "10分钟内办结占比"},
			{"instantClaims", "claims", "Claimed within 10 minutes", "10分钟内办结件数"},
			{"onTheLine", "claims", "Claimed in the last 4 hours", "到期前4小时件数"},
			{"before", "claims", "Mean of the two times 4 hours before", "此前每4小时平均件数"},
			{"lineRatio", "ratio", "Last 4 hours to those before", "踩点倍数"},
		},
		Answer: (*Measures).InstantClaims,
	},
	{
		Definition: definition("I1"), Dimensions: visitDimensions, Headline: "fulfilled",
		Columns: []Column{
			{"fulfilled", "share", "Taken within the window", "按期履行率"},
			{"done", "share", "Taken, late ones too", "履行率（含逾期）"},
			{"late", "slots", "Late", "逾期"},
			{"missed", "slots", "Missed", "缺席"},
			{"excused", "slots", "Excused", "免除"},
		},
		Answer: (*Measures).RotaAdherence,
	},
	{
		Definition: definition("I2"), Dimensions: []Dimension{ByRegion}, Headline: "covered",
		Columns: []Column{
			{"covered", "share", "Sites visited within a year", "一年内走访覆盖率"},
			{"gapP50Days", "d", "Median gap between visits", "走访间隔中位数"},
			{"gapP90Days", "d", "90th percentile of the gap", "走访间隔九成分位"},
			{"visitedSites", "sites", "Sites visited", "已走访点位"},
		},
		Answer: (*Measures).Coverage,
	},
}
