package simulate

import "groundwork"

// topic is a category of matters: how often people raise it, when in the year, who handles it and how long that takes, and the
// words in which it is told. In the words, %P is the place, %S a spot in it, %N a number, %W a span of time.
type topic struct {
	code, group, name string
	urban, rural      float64 // how often, per person, relative to the other topics
	peak              int     // month in which it is raised most
	swing             float64 // how much more than on average then, and less half a year later
	days              float64 // median days from origin to the first claim
	target            int     // working days until resolution is due
	explained         float64 // share of claims that explain rather than fix
	referred          float64 // share of claims that refer elsewhere
	inquiry           float64 // share of questions, answered on the spot if simple
	repeats           float64 // opinions of others on the same matter, per day that it stays open
	site              groundwork.SiteKind
	department        int // index into departments

	subjects, facts, asks, replies []string
}

// department is a unit that every county has.
type department struct {
	name string
	kind groundwork.UnitKind
}

var departments = []department{
	{"城市管理局", groundwork.GovtUnit}, {"住房和城乡建设局", groundwork.GovtUnit}, {"水务公司", groundwork.UtilityUnit},
	{"供电公司", groundwork.UtilityUnit}, {"教育局", groundwork.GovtUnit}, {"人力资源和社会保障局", groundwork.GovtUnit},
	{"交通运输局", groundwork.GovtUnit}, {"卫生健康局", groundwork.GovtUnit}, {"农业农村局", groundwork.GovtUnit},
	{"生态环境局", groundwork.GovtUnit}, {"热力公司", groundwork.EnterpriseUnit},
}

var topics = []topic{
	{"SIM-NOISE", "城市管理", "施工噪音", 1.4, 0.2, 6, 0.35, 5, 7, 0.08, 0.03, 0.03, 0.030, groundwork.Community, 0,
		[]string{"%P%S工地夜间施工扰民", "投诉%S旁凌晨打桩", "%P%S噪音问题"},
		[]string{"%S旁边的工地连续%N天施工到凌晨。", "打桩声整栋楼都能听到，家里老人睡不着。", "渣土车半夜进出，一晚上有%N趟。", "%W前反映过，安静一晚又照旧。"},
		[]string{"请核实夜间施工许可。", "希望夜里到现场看一看。"},
		[]string{"经夜间巡查，已责令停止夜间作业。", "已约谈施工单位，22点后停止打桩。"}},
	{"SIM-WASTE", "城市管理", "垃圾清运", 1.2, 0.9, 7, 0.30, 3, 5, 0.05, 0.02, 0.02, 0.025, groundwork.Community, 0,
		[]string{"%P%S垃圾无人清运", "%S垃圾站臭味很大", "反映%P%S垃圾堆积"},
		[]string{"%S的垃圾桶%N天才清一次，周末溢到路上。", "有人趁夜倾倒装修垃圾，已有%N车。", "臭味进屋，蚊蝇很多。", "%W以来没有人管。"},
		[]string{"请增加清运次数。", "建议安装摄像头。"},
		[]string{"已改为每日清运，并清理积存垃圾。", "已督促保洁单位整改，现场已清理。"}},
	{"SIM-LAMP", "城市管理", "路灯照明", 0.8, 0.6, 12, 0.30, 4, 5, 0.04, 0.03, 0.02, 0.020, groundwork.Community, 0,
		[]string{"%P%S路灯不亮", "请求维修%S的路灯", "%S一段路灯坏了%W"},
		[]string{"%S到菜市场这一段，坏了%N盏灯。", "晚上一片漆黑，%W前有老人摔倒。", "下晚自习的孩子只能打手电。"},
		[]string{"请尽快安排维修。", "盼早日恢复照明。"},
		[]string{"电缆接头已修复，路灯恢复照明。", "已更换灯具，现已点亮。"}},
	{"SIM-WATER", "公用事业", "停水与水压", 0.9, 0.9, 8, 0.25, 6, 7, 0.10, 0.02, 0.08, 0.060, groundwork.Community, 2,
		[]string{"%P%S经常停水", "请求解决%S自来水压力不足", "投诉%P%S停水不通知"},
		[]string{"%S一带傍晚水压很低，%N楼以上没水。", "%W内已停水%N次，没有提前通知。", "水放出来发黄，要沉淀半天。"},
		[]string{"请说明原因和恢复时间。", "希望把管道改造提前。"},
		[]string{"已加装增压设备，水压恢复正常。", "抢修完成，今后提前二十四小时通知。"}},
	{"SIM-POWER", "公用事业", "供电", 0.5, 0.7, 7, 0.40, 3, 5, 0.08, 0.02, 0.06, 0.050, groundwork.Rural, 3,
		[]string{"%P%S频繁停电", "%S电压不稳", "反映%P%S电线老化"},
		[]string{"%S%W来停电%N次，冰箱里的东西都坏了。", "电压不稳，抽水机带不动。", "电线垂得很低，离地不到%N米。"},
		[]string{"请增容变压器。", "请派人检修线路。"},
		[]string{"变压器已增容，供电恢复正常。", "已更换老化线路%N米。"}},
	{"SIM-HEAT", "公用事业", "供暖", 0.8, 0.1, 1, 0.95, 4, 5, 0.12, 0.02, 0.06, 0.050, groundwork.Community, 10,
		[]string{"%P%S室内温度不达标", "%S暖气不热", "请求检修%S供暖管道"},
		[]string{"%S%N号楼室内只有十三度。", "报修%N次，只来放过一次气。", "家里有小孩，%W来一直感冒。"},
		[]string{"请上门测温。", "请退还部分热费。"},
		[]string{"已更换楼道阀门，测温达到标准。", "管网排气后温度恢复。"}},
	{"SIM-PROPERTY", "住房", "物业服务", 1.3, 0.1, 4, 0.10, 12, 15, 0.22, 0.06, 0.08, 0.020, groundwork.Community, 1,
		[]string{"投诉%P%S小区物业乱收费", "%S小区电梯经常故障", "%S小区维修基金申请无下文"},
		[]string{"%S小区公摊电费没有公示，物业不给明细。", "%N号楼的电梯%W内困人%N次。", "维修基金申请了%W没有结果。"},
		[]string{"请督促物业公开账目。", "请检查电梯的维保记录。"},
		[]string{"已要求物业张贴收支明细。", "电梯更换主板并检验合格。"}},
	{"SIM-DEED", "住房", "不动产办证", 0.7, 0.1, 3, 0.10, 35, 30, 0.35, 0.08, 0.12, 0.015, groundwork.Community, 1,
		[]string{"%P%S小区办不了房产证", "请问%S何时能办证", "%S小区交房%W未办证"},
		[]string{"%S小区%N户，交房后一直办不了证。", "开发商说在走程序，%W没有进展。", "孩子上学要用，急。"},
		[]string{"请协调开发商补齐手续。", "请告知办证时间。"},
		[]string{"首批%N户已具备办证条件。", "专班已督促补齐验收手续。"}},
	{"SIM-SCHOOL", "教育", "入学与校园", 0.9, 0.6, 8, 0.60, 6, 10, 0.40, 0.03, 0.40, 0.012, groundwork.School, 4,
		[]string{"咨询%P小学入学条件", "请问%S属于哪个学区", "%P学校食堂问题"},
		[]string{"我们在%S租房居住，已办居住证%W。", "孩子今年满六周岁。", "班里有%N个学生，坐不下。", "食堂饭菜偏凉，%W里换了%N次承包。"},
		[]string{"请问需要哪些材料？", "请到学校了解情况。"},
		[]string{"持居住证可于六月登录平台报名。", "学校已更换食堂承包方。"}},
	{"SIM-WAGES", "劳动", "拖欠工资", 0.6, 0.8, 1, 0.55, 15, 15, 0.06, 0.08, 0.03, 0.020, groundwork.Factory, 5,
		[]string{"举报%P%S项目拖欠工资", "%S工程完工%W工资未结", "请求帮助讨回工资"},
		[]string{"我们%N个人在%S做木工，至今没有结清。", "包工头和甲方互相推。", "每人被拖欠%W的工钱。"},
		[]string{"请劳动监察介入。", "请帮我们讨回血汗钱。"},
		[]string{"已责令限期支付，%N人工资已到账。", "已立案，双方达成支付协议。"}},
	{"SIM-INSURE", "劳动", "社保医保", 0.7, 0.6, 2, 0.20, 4, 7, 0.45, 0.05, 0.50, 0.008, groundwork.GovtWindow, 5,
		[]string{"咨询%P养老保险转移", "请问医保异地报销比例", "%P社保卡办理"},
		[]string{"在外务工%W，想把养老保险转回来。", "住院花了%N千元，材料退了%N次。", "窗口说系统升级，让等%W。"},
		[]string{"请告知流程。", "请问何时能办？"},
		[]string{"可在窗口凭身份证办理转移。", "材料已受理，十五日内到账。"}},
	{"SIM-BUS", "交通", "公交线路", 0.8, 0.4, 9, 0.15, 15, 15, 0.40, 0.04, 0.20, 0.010, groundwork.Community, 6,
		[]string{"建议%P%S增设公交站", "%S公交车间隔太长", "咨询公交何时通到%S"},
		[]string{"%S新建%N个小区，车站要走二十分钟。", "早高峰等车超过%N分钟。", "老人看病要转%N趟车。"},
		[]string{"请考虑延长线路。", "请增加早晚班次。"},
		[]string{"已增加早班车%N个班次。", "已在%S增设停靠站。"}},
	{"SIM-ROAD", "交通", "农村道路", 0.1, 1.8, 4, 0.30, 30, 30, 0.25, 0.03, 0.05, 0.020, groundwork.Rural, 6,
		[]string{"请求硬化%P%S道路", "%S村道破损严重", "%P%S桥面塌陷"},
		[]string{"%S通往%N组的路还是泥路，下雨车进不来。", "%N口人出行都靠这条路。", "%W前量过尺寸，后来没有消息。"},
		[]string{"请问何时能够硬化？", "盼望列入今年计划。"},
		[]string{"已铺碎石%N车，恢复通行。", "路面修补已完成。"}},
	{"SIM-CLINIC", "卫生", "就医", 0.5, 0.7, 12, 0.30, 7, 10, 0.30, 0.04, 0.15, 0.010, groundwork.Hospital, 7,
		[]string{"%P卫生院缺药", "%S诊所收费问题", "反映%P就医排队"},
		[]string{"降压药%W没有到货。", "挂号排了%N小时。", "同样的检查收了%N次费。"},
		[]string{"请配齐常用药。", "请核查收费。"},
		[]string{"药品已补充到位。", "多收的费用已退还。"}},
	{"SIM-FARM", "农业", "灌溉与补贴", 0.05, 1.6, 5, 0.50, 12, 15, 0.20, 0.04, 0.15, 0.015, groundwork.Rural, 8,
		[]string{"%P%S水渠淤塞", "%S耕地补贴未到账", "请求维修%P%S泵站"},
		[]string{"%S的水渠淤了%W，下游%N亩田没水。", "补贴少了%N亩，问了几次没有答复。", "泵站坏了，眼看要误农时。"},
		[]string{"请清淤放水。", "请核对面积。"},
		[]string{"水渠已清淤，恢复供水。", "面积已核对，补贴下月补发。"}},
	{"SIM-SMELL", "环境", "异味与污水", 0.7, 0.5, 8, 0.35, 12, 10, 0.10, 0.05, 0.03, 0.045, groundwork.Factory, 9,
		[]string{"%P%S有刺鼻异味", "%S河水发黑", "举报%P%S偷排污水"},
		[]string{"%S一到夜里%N点就有刺鼻气味。", "河水发黑，%W来鱼都死了。", "厂里的管子直接通到沟里。"},
		[]string{"请夜间来检测。", "请公布检测结果。"},
		[]string{"已查封暗管并立案。", "企业已停产整改，复测达标。"}},
}

var spots = []string{"枫林路", "白鹭路", "新桥头", "云溪口", "橡树湾", "学府街", "石榴巷", "南渡口", "松涛苑", "青禾路", "望江里", "金穗路",
	"梧桐里", "竹园", "老槐树", "水塔下", "北门口", "西塘", "东头", "粮站", "旧戏台", "荷花池", "码头边", "茶厂", "砖窑", "河埠头"}

var spans = []string{"三天", "一周", "十来天", "半个月", "二十天", "一个月", "四十天", "两个月", "三个月", "半年", "大半年"}
