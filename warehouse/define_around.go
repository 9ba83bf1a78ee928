package warehouse

// Measures that look around a region, or over all regions at once.

var aroundDefinitions = []Definition{
	{
		Code: "H2", Version: "1", Name: "Hot and cold surroundings (Gi*)", ChineseName: "热点与冷点区域（Gi*）",
		Meaning:     "Where regions with high, or low, rates lie together more than chance explains.",
		Numerator:   "The shrunk rates (H1) of a region and of those that touch it.",
		Denominator: "The rates of all regions, per category.",
		Anchor:      "RECEIVED",
		Censoring:   "None. The window ends at as-of.",
		Interval:    "None: a test. 9,999 conditional permutations with a seed made of definition and window.",
		Source:      "Getis and Ord 1992; Ord and Getis 1995; Caldas de Castro and Singer 2006 (false discoveries).",
		Method:      "Getis–Ord Gi*, queen contiguity with self, binary; p by conditional permutation, Benjamini–Hochberg over all regions and categories",
		Caveats: []string{
			"class: 2 hot and −2 cold at q ≤ 0.01, 1 and −1 at q ≤ 0.05. A region may be hot by its surroundings alone.",
			"Fewer than 30 regions are not reported. For regions that touch no other the 4 nearest stand in; without a known place they are not tested.",
			"Where a region around it is hidden, so is what Gi* says of the region.",
		},
	},
	{
		Code: "H3", Version: "1", Name: "Clusters in space and time (scan)", ChineseName: "时空扫描聚集区",
		Meaning:     "Zones of neighbouring regions with more issues in the last weeks than their past, and all regions' present, let expect.",
		Numerator:   "Issues with origin in the last 1 to 13 whole weeks.",
		Denominator: "In each category and week as many as there were in all regions together, spread by people times the shrunk rate that each region had in the five years before; where a category had fewer than 50 before, by people alone.",
		Anchor:      "RECEIVED",
		Censoring:   "The week that is not over is left out.",
		Interval:    "None: a test. 999 replicas with a seed made of definition and window.",
		Source:      "Kulldorff 1997.",
		Method:      "Kulldorff's Poisson scan: circles around centroids with up to 25 % of the people, times the last weeks; p = (1 + replicas as extreme) / 1000",
		Caveats: []string{
			"Season, weekday, holidays and growth are those of the weeks themselves; what rises everywhere is found by H4, not here.",
			"Clusters beside the likeliest do not overlap it; with the same ratio the zone of fewer people comes first, then that of the lower code.",
			"Where zones would be too many, the largest have fewer regions; a note says so. Where a region of a cluster is hidden, so are its figures.",
		},
	},
	{
		Code: "E1C", Version: "1", Name: "Inequality of rates between regions (Theil)", ChineseName: "区域差异（泰尔指数）",
		Meaning:     "How unequally issues are spread over people of different regions, and how much of that lies between the regions above.",
		Numerator:   "Shrunk rates (H1), weighted by people.",
		Denominator: "Their mean.",
		Anchor:      "RECEIVED",
		Censoring:   "None. The window ends at as-of.",
		Interval:    "95 % percentile bootstrap by region, B = 999.",
		Source:      "Theil 1967.",
		Method:      "Theil's T; between the regions one rung above, and within them",
		Caveats:     []string{"0 is equality. Shrinking makes regions more alike: T is a lower bound where regions are small."},
	},
	{
		Code: "I3", Version: "2", Name: "Whether visits go where need is", ChineseName: "下访与需求匹配",
		Meaning:     "Whether regions with more need get more visits for their people: above 0 they do, below 0 visits go where need is less.",
		Numerator:   "Visits held in the window, per person-year.",
		Denominator: "Regions ranked by need: the shrunk rate (H1), divided by how readily the region reports (H5) where that is known.",
		Anchor:      "VISIT_END; RECEIVED for need",
		Censoring:   "None. The window ends at as-of.",
		Interval:    "95 % percentile bootstrap by region, B = 999.",
		Source:      "Wagstaff, Paci and van Doorslaer 1991 (concentration index).",
		Method:      "concentration index, 2 cov(v, R) / mean v, middle ranks at ties (Wagstaff 1991)",
		Former:      []Former{{"1", "How readily a region reports was that of version 1 of H5.", "concentration index, 2 cov(v, R) / mean v, middle ranks at ties (Wagstaff 1991)"}},
		Caveats: []string{
			"The correction by readiness is bounded to a factor of 4.",
			"Fewer than 10 regions are not ranked. Regions without a known population are left out.",
		},
	},
}

var aroundMeasures = []Measure{
	{
		Definition: definition("H2"), Dimensions: placeDimensions, Headline: "z",
		Columns: []Column{
			{"rate", "issues per 1,000 person-years", "Shrunk rate", "收缩率"},
			{"neighbours", "regions", "Regions around it", "相邻区域数"},
			{"z", "standard deviations", "Gi*", "Gi*统计量"},
			{"p", "probability", "P of so extreme surroundings", "置换p值"},
			{"q", "probability", "Adjusted p", "校正p值"},
			{"class", "class", "Hot (1, 2) or cold (−1, −2)", "冷热分级"},
		},
		Answer: (*Measures).Clusters,
	},
	{
		Definition: definition("H3"), Dimensions: placeDimensions, Headline: "relativeRisk",
		Columns: []Column{
			{"observed", "issues", "Issues of the weeks scanned", "扫描期件数"},
			{"expected", "expected issues", "Expected", "预期件数"},
			{"cluster", "number", "Number of the cluster", "聚集区序号"},
			{"weeks", "weeks", "Weeks of the cluster", "聚集区周数"},
			{"clusterObserved", "issues of the cluster", "Issues of the cluster", "聚集区件数"},
			{"clusterExpected", "expected issues", "Expected in the cluster", "聚集区预期件数"},
			{"relativeRisk", "ratio", "Relative risk", "相对风险"},
			{"personShare", "share of persons", "Share of the people", "人口占比"},
			{"llr", "log-likelihood ratio", "Log-likelihood ratio", "对数似然比"},
			{"p", "probability", "P of so likely a cluster", "p值"},
		},
		Answer: (*Measures).Scan,
	},
	{
		Definition: definition("E1C"), Dimensions: []Dimension{ByCategory}, Headline: "theil",
		Columns: []Column{
			{"theil", "T", "Theil's T", "泰尔指数"},
			{"between", "T", "Between the regions above", "组间差异"},
			{"within", "T", "Within them", "组内差异"},
			{"shareBetween", "ratio", "Part between", "组间占比"},
			{"regions", "regions", "Regions", "区域数"},
			{"groups", "regions above", "Regions above", "上级区域数"},
		},
		Answer: (*Measures).Inequality,
	},
	{
		Definition: definition("I3"), Dimensions: []Dimension{}, Headline: "concentration",
		Columns: []Column{
			{"concentration", "index", "Concentration of visits by need", "集中指数"},
			{"visits", "visits", "Visits", "下访次数"},
			{"regions", "regions", "Regions", "区域数"},
			{"regionsWithoutVisit", "regions", "Regions without a visit", "未下访区域数"},
			{"corrected", "regions", "Regions corrected by their readiness to report", "按反映意愿校正的区域数"},
		},
		Answer: (*Measures).NeedAlignment,
	},
}
