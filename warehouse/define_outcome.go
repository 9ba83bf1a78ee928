package warehouse

var outcomeDefinitions = []Definition{
	{
		Code: "Q1", Version: "1", Name: "Confirmed resolution rate", ChineseName: "群众确认解决率",
		Meaning:     "Of the claims of which citizens gave a verdict, the share that they confirmed as resolved; with the bounds that follow from those who did not answer.",
		Numerator:   "Claims whose latest verdict, not collected by the handler, is YES. PARTLY is none, and shown.",
		Denominator: "Claims with a verdict that the handler did not collect. For the bounds: all claims that are due for a verdict.",
		Anchor:      "CLAIMED",
		Censoring:   "Claims count from 14 days (10 working days) after they were made.",
		Interval:    "95 % Wilson on the rate; the bounds are worst cases and have none.",
		Method:      "share of answered claims, 95 % Wilson; worst-case bounds (Manski 1990)",
		Caveats: []string{
			"Those who answer are not those who do not: read the rate with its bounds.",
			"Where nobody was ever asked, as in most imports, there is no rate: the bounds are 0 and 1.",
			"Holidays may make 10 working days longer than 14 days; claims of such days enter a little early.",
		},
	},
	{
		Code: "Q2", Version: "1", Name: "Satisfaction", ChineseName: "满意率",
		Meaning:     "Of the citizens who rated, the share that was satisfied.",
		Numerator:   "Ratings of 4 or 5 of 5. Level 3 (basically) is shown apart; satisfiedCompat counts it in, as many systems do.",
		Denominator: "Ratings that the handler did not collect.",
		Anchor:      "FEEDBACK",
		Censoring:   "None.",
		Interval:    "95 % Wilson; satisfiedWeighted: normal, with the variances of its strata.",
		Method:      "share of ratings, 95 % Wilson; satisfiedWeighted: strata of channel and category weighted by their claims",
		Caveats: []string{
			"97 % and 92 % cannot be told apart at n = 100.",
			"unstable also where fewer than half of the claims have an answer (reach).",
			"Satisfied and resolved are two things: see the split.",
		},
	},
	{
		Code: "Q3", Version: "1", Name: "Feedback reach", ChineseName: "有效回访",
		Meaning:     "How far the question reaches: from claims to attempts, to citizens reached, to answers, to answers collected independently.",
		Numerator:   "Attempted: claims with a call-back attempt or a verdict. Reached: of them answered calls or verdicts. Answered: of them with a verdict. Independent: of them not collected by the handler.",
		Denominator: "Each step is a share of the step before; the first of all claims due for a verdict.",
		Anchor:      "CLAIMED",
		Censoring:   "Claims count from 14 days (10 working days) after they were made.",
		Interval:    "95 % Wilson each.",
		Method:      "chain of shares, 95 % Wilson",
		Caveats:     []string{"A verdict that the citizen gave unasked counts as attempted and reached."},
	},
	{
		Code: "Q4", Version: "1", Name: "Reopening and recurrence", ChineseName: "反弹与复发",
		Meaning:     "How often what was closed comes back: the issue itself, or a new one of the same matter at the same site.",
		Numerator:   "(a) Issues reopened after their first closing. (b) Issues after whose confirmation a new issue of the same category arose at the same site within 180 days.",
		Denominator: "(a) Issues ever closed. (b) Issues confirmed, with a known site and category.",
		Anchor:      "CLOSED",
		Censoring:   "At as-of or the end of observation, if earlier.",
		Interval:    "95 % log–log Greenwood.",
		Method:      "1 − Kaplan–Meier from the first closing, and from the confirmation",
		Caveats: []string{
			"(b) knows sites, not distances: issues without a site are not in it.",
			"Imports do not tell of reopenings.",
		},
	},
	{
		Code: "Q5", Version: "1", Name: "On-the-spot resolution", ChineseName: "现场解决率",
		Meaning:     "Of what was raised at visits, the share that was resolved there and then, and within a month.",
		Numerator:   "Issues raised at a visit whose claim within 24 hours of the visit's end was confirmed; for within30, resolved within 30 days of their origin.",
		Denominator: "Issues raised at visits that ended at least 30 days before as-of.",
		Anchor:      "VISIT_END",
		Censoring:   "None: visits enter when they are 30 days old.",
		Interval:    "95 % Wilson.",
		Method:      "share of issues raised at visits, 95 % Wilson",
		Caveats:     []string{"The benchmark is 12 of 86 on the spot (14 %, Wilson 8.2 to 22.8 %) and the rest within a month: Xiapu 1988."},
	},
}

var outcomeMeasures = []Measure{
	{
		Definition: definition("Q1"), Dimensions: issueDimensions, Headline: "resolved",
		Columns: []Column{
			{"resolved", "share", "Resolved, of those answered", "解决率（已评价）"},
			{"resolvedLower", "share", "The same if nobody who did not answer had it resolved", "解决率下界"},
			{"resolvedUpper", "share", "The same if all who did not answer had it resolved", "解决率上界"},
			{"partly", "share", "Partly resolved, of those answered", "部分解决占比"},
			{"answered", "claims", "Answered", "已评价"},
		},
		Answer: (*Measures).Resolved,
	},
	{
		Definition: definition("Q2"), Dimensions: issueDimensions, Headline: "satisfied",
		Columns: []Column{
			{"satisfied", "share", "Satisfied (4 or 5 of 5)", "满意率"},
			{"basically", "share", "Basically satisfied (3 of 5)", "基本满意占比"},
			{"satisfiedCompat", "share", "At least basically satisfied (3 to 5), as other systems count", "满意率（含基本满意）"},
			{"satisfiedResolved", "share", "Satisfied, where resolved", "已解决者满意率"},
			{"satisfiedUnresolved", "share", "Satisfied, where not or partly resolved", "未解决者满意率"},
			{"satisfiedWeighted", "share", "Satisfied, weighted for who answers", "加权满意率"},
			{"reach", "share", "Claims with an answer", "有效回访率"},
		},
		Answer: (*Measures).Satisfaction,
	},
	{
		Definition: definition("Q3"), Dimensions: issueDimensions, Headline: "independent",
		Columns: []Column{
			{"attempted", "share", "Claims with an attempt", "已回访占比"},
			{"reached", "share", "Reached, of those attempted", "联系上占比"},
			{"answered", "share", "Answered, of those reached", "作答占比"},
			{"independent", "share", "Independent, of those answered", "独立评价占比"},
		},
		Answer: (*Measures).FeedbackReach,
	},
	{
		Definition: definition("Q4"), Dimensions: issueDimensions, Headline: "reopened90",
		Columns: []Column{
			{"reopened30", "share", "Reopened within 30 days", "30日内反弹率"},
			{"reopened90", "share", "Reopened within 90 days", "90日内反弹率"},
			{"recurred180", "share", "A new issue of the matter at the site within 180 days", "180日内复发率"},
			{"reopened", "issues", "Reopened so far", "已反弹件数"},
		},
		Answer: (*Measures).Reopening,
	},
	{
		Definition: definition("Q5"), Dimensions: issueDimensions, Headline: "onTheSpot",
		Columns: []Column{
			{"onTheSpot", "share", "Resolved on the spot", "现场解决率"},
			{"within30", "share", "Resolved within 30 days", "30日内解决率"},
			{"resolved", "issues", "Resolved on the spot", "现场解决件数"},
		},
		Answer: (*Measures).OnTheSpot,
	},
}
