package generate

// topic is a matter that citizens write about. %P is the place (X3区), %S a spot in it (枫林路).
type topic struct {
	weight int
	days   float64 // median days to a reply
	zh, en wording
}

type wording struct {
	subjects []string
	facts    []string
	asks     []string
	replies  []string
}

var topics = []topic{
	{14, 9, wording{
		[]string{"投诉%P%S工地夜间施工扰民", "%P%S旁工地凌晨还在打桩", "反映%P%S夜间施工噪音问题"},
		[]string{"%S旁边的工地连续多天施工到凌晨一点以后，打桩声整栋楼都能听到。", "家里有老人和备考的学生，门窗关紧也睡不着。", "拨打过两次电话，安静一晚，第二天又照旧。", "渣土车半夜进出，喇叭声不断。"},
		[]string{"请核实夜间施工许可，督促按规定时间停工。", "希望有人夜里到现场看一看。"},
		[]string{"经夜间巡查，该工地未取得连续施工许可，已责令停止夜间作业并立案处理。", "已约谈施工单位，夜间22点后停止产生噪音的作业，欢迎继续监督。"},
	}, wording{
		[]string{"Complaint: night construction at %S, %P", "Pile driving after midnight near %S in %P"},
		[]string{"The building site next to %S has worked past one in the morning for a week.", "Trucks come and go all night and sound their horns.", "I called twice; it was quiet for one night only."},
		[]string{"Please check whether they hold a permit for night work.", "Could an inspector come at night and listen?"},
		[]string{"The site held no permit for night work. It has been ordered to stop at 22:00 and a case was opened."},
	}},
	{12, 6, wording{
		[]string{"%P%S路灯不亮", "请求维修%P%S的路灯", "%P%S一段路灯坏了一个月"},
		[]string{"%S从学校到菜市场这一段，路灯坏了七八盏。", "晚上一片漆黑，下晚自习的孩子只能打手电。", "上周已经有一位老人摔倒。"},
		[]string{"请尽快安排维修。", "盼早日恢复照明。"},
		[]string{"电缆接头故障已修复，路灯恢复照明。", "该路段路灯已移交养护单位，更换灯具九盏，现已点亮。"},
	}, wording{
		[]string{"Street lights out on %S, %P", "Please repair the lamps along %S in %P"},
		[]string{"Eight lamps between the school and the market on %S have been dark for weeks.", "An elderly neighbour fell there last Tuesday.", "Children walk home with torches."},
		[]string{"Please repair them before the evenings get longer."},
		[]string{"A damaged cable joint was replaced and all lamps on this stretch are lit again."},
	}},
	{10, 14, wording{
		[]string{"%P%S经常停水", "请求解决%P%S自来水压力不足", "投诉%P%S停水不通知"},
		[]string{"%S一带每到傍晚水压很低，六楼以上基本没水。", "本月已停水四次，每次都没有提前通知。", "水放出来发黄，要沉淀半天才能用。"},
		[]string{"请供水单位说明原因和恢复时间。", "希望把老旧管道的改造提前。"},
		[]string{"该片区主管道老化，已列入改造计划，近期先行加装增压设备。", "停水系管道抢修所致，今后将提前二十四小时通知。"},
	}, wording{
		[]string{"Low water pressure at %S, %P", "Complaint: water cut off without notice at %S, %P"},
		[]string{"Every evening there is hardly any water above the fifth floor at %S.", "It was cut four times this month, never with notice.", "What comes out is yellow at first."},
		[]string{"Please tell us the reason and when it will be normal."},
		[]string{"The main is old and is on this year's renewal list; a booster pump was installed meanwhile."},
	}},
	{9, 5, wording{
		[]string{"%P%S垃圾无人清运", "%P%S垃圾站臭味很大", "反映%P%S垃圾堆积"},
		[]string{"%S的垃圾桶三四天才清一次，周末溢到路上。", "夏天臭味进屋，蚊蝇很多。", "有人趁夜倾倒装修垃圾。"},
		[]string{"请增加清运次数。", "建议安装一个摄像头。"},
		[]string{"已督促环卫公司每日清运两次，并清理了积存的装修垃圾。"},
	}, wording{
		[]string{"Rubbish not collected at %S, %P", "Overflowing bins on %S in %P"},
		[]string{"The bins at %S are emptied every fourth day and overflow at weekends.", "Somebody dumps building waste there at night."},
		[]string{"Please collect daily."},
		[]string{"Collection is now twice a day, and the dumped waste was removed."},
	}},
	{9, 20, wording{
		[]string{"建议%P%S增设公交站", "咨询%P公交线路何时延伸到%S", "%P%S公交车间隔太长"},
		[]string{"%S新建了三个小区，最近的车站要走二十分钟。", "早高峰等车常常超过半小时。", "老人看病要转两趟车。"},
		[]string{"请考虑延长线路或增加班次。", "请问今年有没有安排？"},
		[]string{"已组织客流调查，拟在下一轮线网调整中延伸线路，具体以公告为准。", "受道路条件限制暂不具备通车条件，道路贯通后优先安排。"},
	}, wording{
		[]string{"Suggestion: a bus stop at %S, %P", "Question: will the bus be extended to %S in %P?"},
		[]string{"Three new estates at %S are twenty minutes on foot from the nearest stop.", "In the morning one waits more than half an hour."},
		[]string{"Please consider extending the line.", "Is anything planned for this year?"},
		[]string{"Passengers were counted in this area and an extension is proposed for the next timetable."},
	}},
	{8, 7, wording{
		[]string{"咨询%P小学入学条件", "请问%P%S属于哪个学区", "咨询外来务工子女在%P入学"},
		[]string{"我们在%S租房居住，已办理居住证。", "孩子今年九月满六周岁。", "打电话到学校，说以今年的通知为准。"},
		[]string{"请问需要准备哪些材料？", "请告知报名的时间和地点。"},
		[]string{"持居住证满一年可申请，请于六月登录报名平台提交居住证和租赁备案证明。"},
	}, wording{
		[]string{"Question: school enrolment in %P", "Which school district is %S in %P?"},
		[]string{"We rent a flat at %S and hold a residence permit.", "Our child turns six in August."},
		[]string{"Which papers are needed, and when can we register?"},
		[]string{"With a permit of one year you may apply in June on the enrolment platform."},
	}},
	{7, 25, wording{
		[]string{"举报%P%S项目拖欠农民工工资", "%P%S工程完工半年工资未结"},
		[]string{"我们一行十几人在%S的项目做木工，三月完工至今没有结清。", "包工头说甲方没有付款，甲方说已经付清。", "每个人少则几千，多则两万。"},
		[]string{"请劳动监察部门介入。", "请帮我们讨回血汗钱。"},
		[]string{"劳动监察大队已立案，责令限期支付，目前已支付百分之六十，余款继续督办。"},
	}, wording{
		[]string{"Report of illegal wage arrears at the %S site, %P"},
		[]string{"Fifteen of us did carpentry at %S until March and are still owed wages.", "The contractor and the owner each say the other must pay."},
		[]string{"Please send the labour inspectors."},
		[]string{"The labour inspectors opened a case and set a deadline; more than half is paid, the rest is being followed up."},
	}},
	{7, 16, wording{
		[]string{"投诉%P%S小区物业乱收费", "%P%S小区电梯经常故障"},
		[]string{"%S小区的公摊电费没有公示，问物业也不给明细。", "三号楼的电梯这个月困人两次。", "维修基金申请了半年没有下文。"},
		[]string{"请主管部门督促物业公开账目。", "请检查电梯的维保记录。"},
		[]string{"已要求物业在公示栏张贴收支明细；电梯更换主板后经检验合格恢复运行。"},
	}, wording{
		[]string{"Complaint: property charges at %S, %P", "Lift keeps failing at %S in %P"},
		[]string{"The manager of %S will not show the accounts for shared electricity.", "People were stuck in the lift of block three twice this month."},
		[]string{"Please have the accounts published and the lift inspected."},
		[]string{"The accounts are posted at the gate. The lift has a new control board and passed its inspection."},
	}},
	{7, 30, wording{
		[]string{"请求硬化%P%S村组道路", "%P%S村道破损严重"},
		[]string{"%S通往三组的路还是泥路，下雨车辆进不来。", "两百多口人出行都靠这一条路。", "去年量过一次尺寸，后来没有消息。"},
		[]string{"请问何时能够硬化？", "盼望列入今年的计划。"},
		[]string{"该路已列入明年农村公路计划，先行铺碎石保证通行。"},
	}, wording{
		[]string{"Village road at %S, %P is impassable in rain"},
		[]string{"The road from %S to the third group is still mud and carries two hundred people.", "It was measured last year and nothing followed."},
		[]string{"When will it be paved?"},
		[]string{"It is on next year's list of rural roads; gravel was laid for the meantime."},
	}},
	{3, 4, wording{
		[]string{"感谢%P%S社区工作人员", "为%P%S民警点赞"},
		[]string{"母亲在%S走失，工作人员找了一整夜。", "态度好，办事快。"},
		[]string{"特此致谢！"},
		[]string{"感谢您的肯定，我们会继续努力。"},
	}, wording{
		[]string{"Thank you to the staff at %S, %P"},
		[]string{"My mother lost her way near %S and they searched the whole night."},
		[]string{"We are grateful."},
		[]string{"Thank you for your kind words."},
	}},
}

var spotsZh = []string{"枫林路", "白鹭路", "新桥社区", "云溪村", "橡树湾", "学府街", "石榴巷", "南渡口", "松涛苑", "青禾镇", "望江里", "金穗路", "梧桐里", "竹园"}

var spotsEn = []string{"Willow Road", "Heron Street", "Newbridge", "Cloud Creek", "Oak Bay", "College Lane", "Southferry", "Pine Court", "Harvest Road", "Bamboo Garden"}
