package warehouse

var repeatDefinitions = []Definition{
	{
		Code: "D1", Version: "1", Name: "Matters told again", ChineseName: "重复反映率",
		Meaning:     "Of what citizens told, the share that tells of a matter which somebody had told of before: by whom else, and whether that was seen when it came in.",
		Numerator:   "Opinions on a matter of which an earlier opinion was received: all of a matter but the earliest (of several at one moment, that of the lowest id). sameReporter: those whose reporter had told of the matter before. foundLater: those that were not put to the issue of the earliest, with which theirs was merged later.",
		Denominator: "Opinions on an issue. An issue that was merged is one matter with that which it was merged into.",
		Anchor:      "RECEIVED",
		Censoring:   "None. What was received, linked and merged by as-of counts.",
		Interval:    "95 % Wilson each.",
		Source:      "Repeated complaints (重复投诉) of city hotlines; Wilson 1927. The definition is of this project.",
		Method:      "share of opinions, 95 % Wilson",
		Caveats: []string{
			"Place, category and severity are those of the matter; channel, kind and period those of the opinion itself.",
			"Much told again is not only much need: matters that stay open longer, and people who report more readily, give more of it (H5).",
			"Opinions on one matter come together, so where a few matters draw very many the interval is too narrow.",
			"What nobody linked or merged is not known to be the same: the share is a lower bound, and rises later for the newest opinions.",
			"Opinions that are on no issue, such as thanks, are not in it. An unknown reporter is never the same as before.",
		},
	},
}

var repeatMeasures = []Measure{
	{
		Definition: definition("D1"), Dimensions: issueDimensions, Headline: "repeated",
		Columns: []Column{
			{"repeated", "share", "Tell of a known matter", "重复反映占比"},
			{"sameReporter", "share", "Told again by the same person", "同一人重复反映占比"},
			{"foundLater", "share", "Found to repeat only after an issue was opened", "立件后才发现重复占比"},
		},
		Answer: (*Measures).ToldAgain,
	},
}
