package warehouse

// Measures of what policies did, and of the road to them.

var policyDefinitions = []Definition{
	{
		Code: "P1", Version: "2", Name: "Effect of a policy", ChineseName: "政策效果",
		Meaning:     "By how much the outcome that was registered beforehand changed in the regions under the policy, beyond how it changed where the policy was not yet.",
		Numerator:   "Monthly outcome of regions: issues per 1,000 person-years (H1, as they are), or the share confirmed within 60 days (T2).",
		Denominator: "The same of regions not yet under the policy, both since the month before it took effect, and before its anticipation.",
		Anchor:      "RECEIVED",
		Censoring:   "Months that are not over are left out; for T2 those younger than 60 days too. From 12 months before the first region until the registered window is over.",
		Interval:    "95 % by region (influence functions, HC2), Student's t with as many degrees of freedom as the groups of regions give; by EVENT_MONTH also a uniform band over all months, of Šidák.",
		Source:      "Callaway and Sant’Anna 2021.",
		Method:      "Callaway–Sant'Anna group-time effects, regions weighted by people, controls not yet treated; average over treated regions and months",
		Former:      []Former{{"1", "Intervals were of the normal distribution, the band of 999 multiplier draws: both were too short where regions are few.", "Callaway–Sant'Anna group-time effects, regions weighted by people, controls not yet treated; average over treated regions and months"}},
		Caveats: []string{
			"Intervals were found to hold the truth in 93 to 96 of 100 simulated policies, and the band the whole path in 93 to 96 (docs/benchmarks.md).",
			"descriptive: fewer than 8 regions under it, or fewer than 8 never under it.",
			"preTrend: in a month before, regions drifted apart already by more than the band, so that the estimate is not to be trusted. Split by EVENT_MONTH to see these months, which have negative numbers.",
			"effectApart leaves out controls that touch a region under the policy, since its effect may spill over.",
			"A month in which the policy took effect counts as one under it. Outcomes other than H1 and T2 are not computed.",
			"Regions in which it took effect before there are data to compare with are left out, and are no controls either.",
		},
	},
	{
		Code: "P2", Version: "3", Name: "Effect of a campaign", ChineseName: "专项行动效果",
		Meaning:     "By how much more or fewer issues there were in the regions of a campaign after it was over than were to be expected without it; beside it, what the rates of regions so extreme do by themselves.",
		Numerator:   "Issues of the campaign's matter per 1,000 person-years (H1, as they are) in its regions, in the whole months after its exit, at most 12, less those to be expected: the shrunk rate of its regions in the 12 months before its selection (H1), times the change from the shrunk rate of the regions compared with to theirs afterwards.",
		Denominator: "Regions compared with: as many as were chosen, at least 8 where there are so many, which no campaign on the matter chose, and whose shrunk rate in the 12 months before its selection was nearest to that of a region chosen.",
		Anchor:      "RECEIVED",
		Censoring:   "The months of the campaign itself are left out: more is reported while more is asked. Campaigns are judged from 90 days after their exit on.",
		Interval:    "95 % by region, as P1.",
		Source:      "Campaigns on one problem a month (每月一题); Marshall 1991 (what regression to the mean alone would bring).",
		Method:      "empirical Bayes before-and-after study with a comparison group (Hauer 1997), controls matched by the empirical Bayes rate of 12 months; regression to the mean −(1−w)(r−μ)",
		Former: []Former{
			{"2", "The month before the campaign began was compared, in which regions chosen for their rates are as extreme by chance as before: an effect was found where there was none, and those there were came out larger.", "difference in differences as P1, controls matched by the empirical Bayes rate of 12 months; regression to the mean −(1−w)(r−μ)"},
			{"1", "Intervals were of the normal distribution, and too short where regions are few.", "difference in differences as P1, controls matched by the empirical Bayes rate of 12 months; regression to the mean −(1−w)(r−μ)"},
		},
		Caveats: []string{
			"regressionToMean is by how much the rates of the regions would have fallen from what they were, without any campaign; the effect does not count it.",
			"effectCompared is against the regions that were frozen for comparison at selection, where there are such.",
			"descriptive: fewer than 8 regions in it, or fewer than 8 to compare with. preTrend: they drifted apart before it began.",
		},
	},
	{
		Code: "P3", Version: "1", Name: "From evidence to policy", ChineseName: "从证据到政策",
		Meaning:     "Whether changes of policies had evidence before they were proposed, how long they took from it, and whether what they did was evaluated.",
		Numerator:   "Changes adopted with evidence dated before the proposal; changes evaluated within 12 months of adoption.",
		Denominator: "Changes adopted; changes adopted at least 12 months before as-of.",
		Anchor:      "Adoption",
		Censoring:   "For the time to adoption: changes proposed and not adopted yet are censored at as-of, ended ones at their end.",
		Interval:    "Shares: Wilson. Times: Brookmeyer–Crowley, log–log.",
		Source:      "Decidim’s traces from a proposal to its result; Kaplan and Meier 1958; Wilson 1927.",
		Method:      "proportions; Kaplan–Meier from the first evidence to adoption",
		Caveats:     []string{"Evidence that was linked later counts by the date of what it shows, not of the link."},
	},
}

var policyMeasures = []Measure{
	{
		Definition: definition("P1"), Dimensions: []Dimension{ByPolicyChange, ByEventMonth}, Headline: "effect",
		Columns: []Column{
			{"effect", "of the outcome", "Effect", "政策效应"},
			{"bandLow", "of the outcome", "Uniform band, lower end", "一致置信带下限"},
			{"bandHigh", "of the outcome", "Uniform band, upper end", "一致置信带上限"},
			{"effectApart", "of the outcome", "Effect without controls that touch", "剔除相邻对照的效应"},
			{"treated", "regions", "Regions under it", "实施区域数"},
			{"controls", "regions", "Regions never under it", "对照区域数"},
			{"months", "months", "Months looked at", "观察月数"},
		},
		Answer: (*Measures).PolicyEffect,
	},
	{
		Definition: definition("P2"), Dimensions: []Dimension{ByCampaign}, Headline: "effect",
		Columns: []Column{
			{"effect", "issues per 1,000 person-years", "Effect", "行动效应"},
			{"regressionToMean", "issues per 1,000 person-years", "Expected by regression to the mean", "均值回归预期变化"},
			{"effectCompared", "issues per 1,000 person-years", "Effect against the regions frozen for comparison", "对照冻结区域的效应"},
			{"treated", "regions", "Regions in it", "行动区域数"},
			{"controls", "regions", "Regions compared with", "对照区域数"},
			{"months", "months", "Months after it", "事后月数"},
		},
		Answer: (*Measures).CampaignEffect,
	},
	{
		Definition: definition("P3"), Dimensions: []Dimension{}, Headline: "evidenceBefore",
		Curves: []Column{{"adopted", "share", "Adopted by the day after the first evidence", "累计采纳率"}},
		Columns: []Column{
			{"evidenceBefore", "share", "With evidence before the proposal", "先有证据占比"},
			{"toAdoptionP50Days", "d", "Median from first evidence to adoption", "证据至出台中位数"},
			{"evaluated", "share", "Evaluated within 12 months", "一年内评估占比"},
			{"adopted", "changes", "Adopted", "已出台数"},
			{"pending", "changes", "Proposed and not adopted", "在途数"},
		},
		Answer: (*Measures).EvidenceToPolicy,
	},
}
