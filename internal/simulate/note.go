package simulate

import (
	"fmt"
	"strings"

	"groundwork"
)

// The words of notes. Clauses are put together of them, so that two notes that were not copied have little in common.
var (
	noteWho = []string{"张姓老党员", "返乡青年", "养殖户", "低保户", "楼栋长", "网格员", "小卖部店主", "车间工人", "退休教师", "外来租户", "种粮大户", "民宿老板",
		"护林员", "班主任", "学生家长", "快递站长", "修车师傅", "合作社社员", "残疾老人", "村医", "保洁组长", "夜班工人", "菜农", "渔户"}
	noteWhat = []string{"东侧排水沟", "三组机耕路", "活动室屋顶", "二次供水泵", "楼道扶手", "变压器容量", "公厕化粪池", "村口路灯", "校门斑马线", "灌溉水泵",
		"垃圾中转点", "厂区宿舍", "停车泊位", "消防通道", "电动车充电棚", "老旧燃气管", "快递驿站", "医保报销窗口", "幼儿园围墙", "河堤护坡", "农机库房",
		"健身器材", "宽带接入", "雨污分流口"}
	noteHow = []string{"去冬以来一直渗漏", "高峰时段不够用", "修了半截停工", "台账与实际不符", "验收后无人管护", "资金缺口未落实", "多次报修未回应", "雨天积水没过脚踝",
		"标识模糊易出事故", "产权归属说不清", "收费没有公示", "设备闲置生锈", "夜间完全没有照明", "施工挖断后未恢复", "面积核算有出入", "维护合同已经到期",
		"噪声影响午休", "排队时间偏长", "材料要求反复变", "承诺期限已过", "占道经营严重", "坡度太陡轮椅上不去", "信号时有时无", "水质发浑"}
	noteAsk = []string{"盼在汛期前修好", "希望列入明年预算", "要求公布责任单位", "建议先临时加固", "愿意出工投劳", "请部门上门核实", "建议错峰安排", "希望给个准话",
		"要求张榜公示", "建议引入第三方", "盼延长服务时间", "希望增设一处", "建议统一规划", "要求补发差额", "盼尽快通车", "希望培训管护员", "建议按户登记", "要求书面答复",
		"盼落实责任人", "希望减少跑腿", "建议夜间值守", "要求限期拆除", "盼恢复原状", "希望每月回访"}
	noteThen = []string{"当场联系养护单位", "记入民情台账", "约定周五复看", "拍照留存并定位", "已转分管同志跟进", "与施工方现场划线", "请财政所核对数字", "安排网格每日巡查",
		"列为本月督办", "同意先行垫付", "答应三日内回话", "请专业队伍评估", "纳入片区改造清单", "让窗口当天补录", "协商分摊费用", "通知产权单位到场", "先设警示牌", "请村民代表监督",
		"与邻村商量共用", "排入下轮议事会", "建立微信群跟踪", "要求倒排工期", "请律师解释条款", "回去核实政策口径"}
)

// noteClauses are enough that a note which was copied but for a clause has 80 shingles left when those are put aside that many notes have: of fewer F3 says nothing.
const noteClauses = 9

// note writes what a visit's note says; that of a copied one says what its source says, of another place and with other figures.
func (w *world) note(all []visit, n int) string {
	v := &all[n]
	source := v
	if v.copyOf >= 0 {
		source = &all[v.copyOf]
	}
	c := chanceOf(w.cfg.Seed, streamText, source.number)
	c.Float64() // whether it is copied
	own := chanceOf(w.cfg.Seed, streamText, v.number^1<<63)
	var b strings.Builder
	fmt.Fprintf(&b, "%s到%s，走访群众%d人。", v.StartedAt.In(groundwork.China).Format("1月2日"), w.Regions[w.townships[v.township].region].Name, *v.CitizensMet)
	for clause := range noteClauses {
		text := fmt.Sprintf("%s反映%s%s，%s，%s。", pick(c, noteWho), pick(c, noteWhat), pick(c, noteHow), pick(c, noteAsk), pick(c, noteThen))
		if v.copyOf >= 0 && clause == noteClauses-1 && own.happens(0.5) {
			continue // copies are often a little shorter
		}
		b.WriteString(text)
	}
	return b.String()
}
