package importer

import (
	"math"
	"strings"
	"time"

	"groundwork"
)

// The files of reference data: which columns each has and what a row becomes. What depends on other rows and on what is there
// already (does the region exist, is it a rung above) the store examines.

var levelWords = map[string]groundwork.RegionLevel{
	"省": groundwork.Province, "市": groundwork.Prefecture, "县": groundwork.County, "乡": groundwork.Township, "村": groundwork.VillageCommittee,
}

var regionColumns = []column{
	{name: "code", chinese: "区划代码", required: true}, {name: "name", chinese: "名称", required: true}, {name: "level", chinese: "级别"}, {name: "parent", chinese: "上级代码"}, {name: "latitude", chinese: "纬度"},
	{name: "longitude", chinese: "经度"}, {name: "urban_rural", chinese: "城乡"}, {name: "valid_from", chinese: "生效日期"}, {name: "valid_to", chinese: "失效日期"},
}

// ReadRegions reads regions. Level and parent follow from the code where they are left out.
func ReadRegions(data []byte, name string) (*Table[groundwork.RegionRow], error) {
	return tableOf(data, name, regionColumns, func(c cells) groundwork.RegionRow {
		r := groundwork.RegionRow{Line: c.line, ParentCode: c.code("parent"), Region: groundwork.Region{
			Code: c.code("code"), Name: c.text("name"), Level: oneOf(c, "level", levelWords),
			Latitude: c.number("latitude", -90, 90), Longitude: c.number("longitude", -180, 180),
			ValidFrom: c.day("valid_from"), ValidTo: c.day("valid_to"),
		}}
		if setting := oneOf(c, "urban_rural", map[string]string{"城镇": "URBAN", "乡村": "RURAL"}); setting != "" {
			r.Region.UrbanRural = &setting
		}
		if r.Region.Level == "" {
			r.Region.Level = groundwork.LevelOfCode(r.Region.Code)
		}
		if r.ParentCode == "" {
			r.ParentCode = groundwork.ParentCode(r.Region.Code, r.Region.Level)
		}
		return r
	}, func(r groundwork.RegionRow) string { return r.Region.Code })
}

var siteColumns = []column{
	{name: "region", chinese: "区划代码", required: true}, {name: "kind", chinese: "类型", required: true}, {name: "name", chinese: "名称", required: true}, {name: "latitude", chinese: "纬度"}, {name: "longitude", chinese: "经度"},
	{name: "eligible_from", chinese: "启用日期"}, {name: "eligible_to", chinese: "停用日期"},
}

// ReadSites reads the places that visits go to.
func ReadSites(data []byte, name string) (*Table[groundwork.SiteRow], error) {
	kinds := map[string]groundwork.SiteKind{
		"工厂": groundwork.Factory, "农村": groundwork.Rural, "社区": groundwork.Community, "学校": groundwork.School, "医院": groundwork.Hospital,
		"政务窗口": groundwork.GovtWindow, "其他": groundwork.OtherSite,
	}
	return tableOf(data, name, siteColumns, func(c cells) groundwork.SiteRow {
		return groundwork.SiteRow{Line: c.line, RegionCode: c.code("region"), Site: groundwork.Site{
			Kind: oneOf(c, "kind", kinds), Name: c.text("name"), Latitude: c.number("latitude", -90, 90), Longitude: c.number("longitude", -180, 180),
			EligibleFrom: c.day("eligible_from"), EligibleTo: c.day("eligible_to"),
		}}
	}, func(r groundwork.SiteRow) string { return joined(r.RegionCode, string(r.Site.Kind), r.Site.Name) })
}

var unitColumns = []column{
	{name: "name", chinese: "单位名称", required: true}, {name: "kind", chinese: "性质", required: true}, {name: "region", chinese: "区划代码"}, {name: "parent", chinese: "上级单位"}, {name: "parent_region", chinese: "上级区划代码"},
}

// ReadUnits reads units. A unit may stand before the unit above it.
func ReadUnits(data []byte, name string) (*Table[groundwork.UnitRow], error) {
	kinds := map[string]groundwork.UnitKind{
		"党委": groundwork.PartyUnit, "政府": groundwork.GovtUnit, "公用事业": groundwork.UtilityUnit, "企业": groundwork.EnterpriseUnit,
	}
	return tableOf(data, name, unitColumns, func(c cells) groundwork.UnitRow {
		return groundwork.UnitRow{Line: c.line, RegionCode: c.code("region"), Unit: groundwork.OrgUnit{Name: c.text("name"), Kind: oneOf(c, "kind", kinds)},
			Parent: groundwork.UnitRef{Name: c.text("parent"), RegionCode: c.code("parent_region")}}
	}, func(r groundwork.UnitRow) string { return joined(r.Unit.Name, r.RegionCode) })
}

var officialColumns = []column{
	{name: "pseudonym", chinese: "代号", required: true}, {name: "unit", chinese: "单位名称", required: true}, {name: "unit_region", chinese: "区划代码"}, {name: "rank", chinese: "级别", required: true}, {name: "title", chinese: "职务", required: true},
	{name: "held_from", chinese: "任职日期", required: true}, {name: "held_to", chinese: "免职日期"}, {name: "name", chinese: "姓名", refusal: "names of officials are not imported; keep them out of the file, the pseudonym stands for the person"},
}

// ReadOfficials reads the posts that officials hold or held, under their pseudonyms.
func ReadOfficials(data []byte, name string) (*Table[groundwork.OfficialRow], error) {
	ranks := map[string]groundwork.Rank{
		"省级": groundwork.RankProvincial, "地市级": groundwork.RankPrefecture, "县处级": groundwork.RankCounty, "乡科级": groundwork.RankTownship,
		"股级": groundwork.RankSection,
	}
	return tableOf(data, name, officialColumns, func(c cells) groundwork.OfficialRow {
		r := groundwork.OfficialRow{Line: c.line, Pseudonym: c.text("pseudonym"), Unit: groundwork.UnitRef{Name: c.text("unit"), RegionCode: c.code("unit_region")},
			Post: groundwork.PostHolding{Rank: oneOf(c, "rank", ranks), Title: c.text("title"), HeldTo: c.day("held_to")}}
		if from := c.day("held_from"); from != nil {
			r.Post.HeldFrom = *from
		}
		return r
	}, func(r groundwork.OfficialRow) string {
		return joined(r.Pseudonym, r.Unit.Name, r.Unit.RegionCode, r.Post.Title, r.Post.HeldFrom.Format("2006-01-02"))
	})
}

var categoryColumns = []column{
	{name: "level1", chinese: "一级分类", required: true}, {name: "level2", chinese: "二级分类"}, {name: "level3", chinese: "三级分类"},
	{name: "level4", chinese: "四级分类"}, {name: "code", chinese: "分类代码"}, {name: "audited_minimum_minutes", chinese: "核定最短办理分钟"},
}

// ReadCategories reads a tree of categories: one row a category, its names from the top in a column each.
func ReadCategories(data []byte, name string) (*Table[groundwork.CategoryRow], error) {
	return tableOf(data, name, categoryColumns, func(c cells) groundwork.CategoryRow {
		r := groundwork.CategoryRow{Line: c.line, Code: c.text("code")}
		for i, col := range categoryColumns[:4] {
			switch level := c.text(col.name); {
			case level == "":
			case len(r.Path) < i:
				c.fail(col.name, level, "the level above is empty; name it")
			default:
				r.Path = append(r.Path, level)
			}
		}
		if c.text("audited_minimum_minutes") != "" {
			r.AuditedMinimumMinutes = new(c.minutes("audited_minimum_minutes"))
		}
		return r
	}, func(r groundwork.CategoryRow) string { return joined(r.Path...) })
}

var dispatchRuleColumns = []column{
	{name: "category", chinese: "分类代码", required: true}, {name: "region_level", chinese: "级别", required: true}, {name: "unit", chinese: "单位名称", required: true}, {name: "unit_region", chinese: "区划代码"}, {name: "basis", chinese: "依据", required: true},
	{name: "valid_from", chinese: "生效日期", required: true}, {name: "valid_to", chinese: "失效日期"},
}

// ReadDispatchRules reads the dispatch catalogue: which unit handles what, at which level, on what basis.
func ReadDispatchRules(data []byte, name string) (*Table[groundwork.DispatchRuleRow], error) {
	return tableOf(data, name, dispatchRuleColumns, func(c cells) groundwork.DispatchRuleRow {
		r := groundwork.DispatchRuleRow{Line: c.line, CategoryCode: c.text("category"), Unit: groundwork.UnitRef{Name: c.text("unit"), RegionCode: c.code("unit_region")},
			Rule: groundwork.DispatchRule{RegionLevel: oneOf(c, "region_level", levelWords), Basis: c.text("basis"), ValidTo: c.day("valid_to")}}
		if from := c.day("valid_from"); from != nil {
			r.Rule.ValidFrom = *from
		}
		return r
	}, func(r groundwork.DispatchRuleRow) string {
		return joined(r.CategoryCode, string(r.Rule.RegionLevel), r.Unit.Name, r.Unit.RegionCode, r.Rule.ValidFrom.Format("2006-01-02"))
	})
}

var targetColumns = []column{
	{name: "category", chinese: "分类代码"}, {name: "severity", chinese: "紧急程度", required: true}, {name: "ack_minutes", chinese: "签收分钟", required: true}, {name: "response_minutes", chinese: "响应分钟", required: true},
	{name: "resolution_minutes", chinese: "办结分钟", required: true}, {name: "time_base", chinese: "计时", required: true}, {name: "published_at", chinese: "公布日期", required: true}, {name: "valid_from", chinese: "生效日期", required: true},
}

// ReadTargets reads what is promised for issues: how soon they are accepted, answered and done. Days begin in China.
func ReadTargets(data []byte, name string) (*Table[groundwork.TargetRow], error) {
	severities := map[string]groundwork.Severity{"低": groundwork.SeverityLow, "一般": groundwork.SeverityNormal, "较高": groundwork.SeverityHigh, "紧急": groundwork.SeverityUrgent}
	bases := map[string]groundwork.TimeBase{"自然时间": groundwork.WallTime, "工作时间": groundwork.WorkingTime}
	return tableOf(data, name, targetColumns, func(c cells) groundwork.TargetRow {
		return groundwork.TargetRow{Line: c.line, CategoryCode: c.text("category"), Target: groundwork.TargetVersion{
			Severity: oneOf(c, "severity", severities), AckMinutes: c.minutes("ack_minutes"), ResponseMinutes: c.minutes("response_minutes"),
			ResolutionMinutes: c.minutes("resolution_minutes"), TimeBase: oneOf(c, "time_base", bases),
			PublishedAt: c.dayInChina("published_at"), ValidFrom: c.dayInChina("valid_from"),
		}}
	}, func(r groundwork.TargetRow) string {
		return joined(r.CategoryCode, string(r.Target.Severity), groundwork.DayOf(r.Target.ValidFrom))
	})
}

func (c cells) minutes(name string) int {
	return c.whole(name, 1, math.MaxInt32, "expected a whole number of minutes, from 1 up")
}

// dayInChina is the moment at which a day begins in China.
func (c cells) dayInChina(name string) time.Time {
	day := c.day(name)
	if day == nil {
		return time.Time{}
	}
	return time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, groundwork.China).UTC()
}

var holidayColumns = []column{{name: "date", chinese: "日期", required: true}, {name: "day", chinese: "安排", required: true}, {name: "note", chinese: "说明"}}

// ReadHolidays reads the days that are worked, or not, against the rule of Monday to Friday.
func ReadHolidays(data []byte, name string) (*Table[groundwork.HolidayRow], error) {
	return tableOf(data, name, holidayColumns, func(c cells) groundwork.HolidayRow {
		r := groundwork.HolidayRow{Line: c.line, Worked: oneOf(c, "day", map[string]string{"班": "WORK", "休": "REST"}) == "WORK", Note: c.text("note")}
		if day := c.day("date"); day != nil {
			r.Day = *day
		}
		return r
	}, func(r groundwork.HolidayRow) string { return r.Day.Format("2006-01-02") })
}

// joined makes one text of the parts of a key.
func joined(parts ...string) string { return strings.Join(parts, " · ") }
