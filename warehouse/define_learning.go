package warehouse

// The measure of what officials learn. It speaks of all of them together, never of one.

var learningDefinitions = []Definition{
	{
		Code: "L1", Version: "1", Name: "Skill growth", ChineseName: "能力成长",
		Meaning:     "Of the officials in post, the share that somebody from outside assessed during 12 months and found no lower than before.",
		Numerator:   "Officials with an assessment in an ability during the 12 months before as-of whose level is not below the one before it. A first assessment has none before it, and counts; firstTime says how many those are.",
		Denominator: "Officials who hold a post at as-of and held one six months before.",
		Anchor:      "STOCK",
		Censoring:   "None.",
		Interval:    "95 % Wilson.",
		Source:      "The seven abilities that officials are asked for; Wilson 1927. The definition is of this project.",
		Method:      "share of officials, 95 % Wilson; without a split, in any ability",
		Caveats: []string{
			"Assessors are from outside of the official's unit: the system of record refuses others.",
			"There is no answer by person, post, unit or region, and so no ranking. raised is of those who have a former level to rise above.",
		},
	},
}

var learningMeasures = []Measure{
	{
		Definition: definition("L1"), Dimensions: []Dimension{ByAbility}, Headline: "kept",
		Columns: []Column{
			{"kept", "share", "Assessed and no lower than before", "评估且未下降占比"},
			{"assessed", "share", "Assessed within 12 months", "一年内评估占比"},
			{"raised", "share", "Higher than before", "能力提升占比"},
			{"firstTime", "officials", "Assessed for the first time", "首次评估人数"},
		},
		Answer: (*Measures).SkillGrowth,
	},
}
