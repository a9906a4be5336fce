// What the page says, in English and Chinese; a word without an entry is shown as the agent says it.
const WORDS = {
  en: {
    other: "中文", map: "The crossing seen from above, north up", signals: "Signals", hazards: "Hazards", devices: "Devices",
    users: "Road users", uplink: "District", radio: "Sent by radio", messages: "last messages", track: "track", kind: "class",
    speed: "km/h", none: "none", connecting: "connecting …", on_air: "on air", unavailable: "unavailable: {0}",
    agent_silent: "the agent does not answer", page_gone: "the page's own server does not answer",
    past: "Nothing below is the present: last heard {0} s ago.", never: "Nothing has been heard from it yet.",
    age: "lamps {0} s old", no_lamps: "no lamps heard", plan: "plan {0} · stage {1}", connected: "connected",
    waiting: "waiting", acknowledged: "acknowledged", failed: "failed", yes: "yes", no: "no", no_uplink: "not reported",
    since: "for {0}",
    view_now: "Now", view_signals: "Signals", view_senses: "Senses", view_messages: "Messages", view_uplink: "Uplink",
    view_health: "Health", view_config: "Settings", view_log: "Log", views: "Views", theme: "Light or dark",
    theme_auto: "◐ auto", theme_light: "☀ light", theme_dark: "☾ dark", old: "{0} s old", never_heard: "not heard",
    ring: "Ring", time_diagram: "Time", ends: "Ends", now: "now", plan_short: "plan {0}", stage_short: "stage {0}",
    diagram_words: "Left of “now”: what was heard. Right: how long it is expected to last; nothing where no end is announced.",
    no_senses: "No camera and no radar has told anything yet.", boxes: "{0} boxes", returns: "{0} returns, {1} targets",
    still: "Still without people", still_coming: "being made of ten seconds …", still_words: "The road as {0} sees it, people and vehicles painted over",
    needs_technician: "Only for a technician who is logged in.", refused: "refused: {0}", no_messages: "Nothing has been sent yet.",
    bytes: "{0} bytes", decoded: "decoded", raw: "bytes", backlog_hour: "Waiting, last hour", reason: "state", produced: "produced",
    dropped: "dropped", resent: "sent again", rtt: "round trip", events: "What changed", ago: "{0} ago", agent: "the agent",
    figure_valid: "SPAT valid (1) or not (0)", figure_age_s: "Age of the lamps, s", figure_users: "Road users",
    figure_sent: "Messages sent a second", figure_bound_ms: "Clock's bound, ms", config_waits: "A change that waits", config_text: "Site file",
    config_history: "History", config_confirm: "Keep it", config_rollback: "Go back now", config_confirm_done: "Generation {0} holds.",
    config_rollback_done: "Generation {0} is in place again.", config_left: "Generation {0} waits. Back to {1} in {2}, unless it is kept.",
    config_nothing: "Nothing waits.", config_applied: "applied", config_confirmed: "confirmed", config_reverted: "taken back",
    difference: "Difference", calibration: "Calibration",
    calibration_words: "Each of these, typed on the box, serves a page on which a picture is clicked:",
    log: "Log of the agent", audit: "Who did what on this page", least_level: "Least level", info: "all", warning: "warnings and errors",
    error: "errors", log_in: "Log in", log_out: "{0}: log out", user_name: "Name", password: "Password", close: "Close",
    locked: "Too many wrong passwords. Wait {0} s.", wrong_password: "Name or password is wrong.",
  },
  zh: {
    other: "English", map: "路口俯视图，上北下南", signals: "信号灯", hazards: "危险事件", devices: "设备", users: "交通参与者",
    uplink: "区级平台", radio: "无线播发", messages: "最近消息", track: "编号", kind: "类型", speed: "km/h", none: "无",
    connecting: "正在连接…", on_air: "正在播发", unavailable: "不可用：{0}", agent_silent: "代理无应答", page_gone: "本页面的服务无应答",
    past: "以下内容并非当前状态：最后更新于 {0} 秒前。", never: "尚未收到任何数据。", age: "灯态已过 {0} 秒", no_lamps: "未收到灯态",
    plan: "方案 {0} · 阶段 {1}", connected: "已连接", waiting: "待确认", acknowledged: "已确认", failed: "失败", yes: "是", no: "否",
    no_uplink: "未上报", since: "持续 {0}",
    view_now: "实况", view_signals: "信号", view_senses: "感知", view_messages: "消息", view_uplink: "上行",
    view_health: "健康", view_config: "配置", view_log: "日志", views: "视图", theme: "明暗",
    theme_auto: "◐ 自动", theme_light: "☀ 浅色", theme_dark: "☾ 深色", old: "{0} 秒前", never_heard: "未收到",
    ring: "环图", time_diagram: "时序图", ends: "结束时刻", now: "现在", plan_short: "方案 {0}", stage_short: "阶段 {0}",
    diagram_words: "“现在”左侧为已收到的灯态，右侧为预计持续时间；未公布结束时刻的不画。",
    no_senses: "尚无相机或雷达数据。", boxes: "{0} 个检测框", returns: "{0} 个回波，{1} 个目标",
    still: "无人静态图", still_coming: "正在合成十秒画面…", still_words: "{0} 所见路面，行人与车辆已涂抹",
    needs_technician: "仅限已登录的技术员。", refused: "被拒绝：{0}", no_messages: "尚未发送任何消息。",
    bytes: "{0} 字节", decoded: "解码", raw: "字节", backlog_hour: "最近一小时待确认", reason: "状态", produced: "已产生",
    dropped: "已丢弃", resent: "重发", rtt: "往返时延", events: "变化记录", ago: "{0}前", agent: "代理",
    figure_valid: "SPAT 有效(1)或无效(0)", figure_age_s: "灯态时延（秒）", figure_users: "交通参与者数",
    figure_sent: "每秒发送消息数", figure_bound_ms: "时钟误差界（毫秒）", config_waits: "待确认的更改", config_text: "站点文件",
    config_history: "历史", config_confirm: "保留", config_rollback: "立即回退", config_confirm_done: "第 {0} 代已保留。",
    config_rollback_done: "已恢复第 {0} 代。", config_left: "第 {0} 代待确认；若不保留，{2}后回到第 {1} 代。",
    config_nothing: "没有待确认的更改。", config_applied: "已应用", config_confirmed: "已确认", config_reverted: "已回退",
    difference: "差异", calibration: "标定",
    calibration_words: "在设备上输入以下任一命令，即可打开点选画面的页面：",
    log: "代理日志", audit: "本页面操作记录", least_level: "最低级别", info: "全部", warning: "警告和错误",
    error: "错误", log_in: "登录", log_out: "{0}：退出", user_name: "用户名", password: "密码", close: "关闭",
    locked: "密码错误次数过多，请等待 {0} 秒。", wrong_password: "用户名或密码错误。",
  },
};
// The agent's own words, apart from the page's: a camera's "frozen" is not a sentence of the page.
const CODES = {
  en: {},
  zh: {
    camera: "相机无效", senses: "感知进程无应答", detector: "无检测模型", pictures: "画面不足", disk: "磁盘写入失败",
    car: "小客车", truck: "货车", bus: "公交车", motorcycle: "摩托车", bicycle: "自行车",
    tricycle: "三轮车", cart: "无人配送车", pedestrian: "行人", unknown: "未知", green: "绿", green_flash: "绿闪", yellow: "黄",
    yellow_flash: "黄闪", red: "红", red_flash: "红闪", red_yellow: "红黄", dark: "灭", red_light_running: "闯红灯",
    wrong_way: "逆行", stopped_vehicle: "车辆滞留", pedestrian_on_red: "行人闯红灯", ok: "正常", starting: "启动中", degraded: "降级",
    lost: "失联", missing: "设备不存在", closed: "连接断开", refused: "连接被拒", timeout: "超时", garbled: "数据乱码",
    N: "北", E: "东", S: "南", W: "西", silent: "无数据", frozen: "画面不动", stalled: "画面中断",
    black: "画面全黑", over_exposed: "过曝", slow: "帧率过低", defocused: "失焦", dirty: "镜头脏污", moved: "相机移位",
    blind: "漏检严重", process_gone: "所属进程已退出",
    opening: "正在打开", busy: "被占用", permission: "无权限", version: "版本不符", no_programme: "未读到配时方案",
    no_report: "无完整灯态报告", stale: "灯态过期", no_mode: "控制方式未知", other_controller: "不是本路口的信号机",
    slow_source: "信号来源为 C 级,站点文件未允许播发",
    line_lost: "信号机线路中断", conflict: "灯色冲突", last_word: "进程中断后的最后声明", late: "处理延迟", colour: "灯色与报告不符",
    phases: "相位与配置不符", identity: "路口编号不符", revision: "地图版本不符", order: "倒计时次序错误", ends: "倒计时与预测不符", time: "消息时间错误", unreadable: "消息无法读取",
    witness: "相机所见与信号机普遍不符", contradicted: "相机所见与信号机不符", disagreement: "相机所见与信号机暂不一致",
    unusual: "异常变灯", returned: "刚刚恢复", clock: "时钟不可信",
  },
};

const kept = () => { try { return localStorage.getItem("language"); } catch { return null; } };
let language = kept() ?? (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en");
if (!(language in WORDS)) language = "en";

export function say(key, ...values) {
  const found = WORDS[language][key] ?? WORDS.en[key] ?? String(key);
  return found.replace(/\{(\d)\}/g, (_, i) => values[i]);
}

export function tell(code) {
  return CODES[language][code] ?? String(code).replaceAll("_", " ");
}

// Seconds as people say them: 42 s, 7 min, 3 h.
export function duration(seconds) {
  const [number, unit] = seconds < 120 ? [seconds, "s"] : seconds < 7200 ? [seconds / 60, "min"] : [seconds / 3600, "h"];
  return `${Math.floor(number)} ${language === "zh" ? { s: "秒", min: "分钟", h: "小时" }[unit] : unit}`;
}

export function sayEverywhere() {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  for (const element of document.querySelectorAll("[data-words]")) element.textContent = say(element.dataset.words);
  for (const element of document.querySelectorAll("[data-words-label]"))
    element.setAttribute("aria-label", say(element.dataset.wordsLabel));
}

export function otherLanguage() {
  language = language === "zh" ? "en" : "zh";
  try { localStorage.setItem("language", language); } catch { /* only not remembered */ }
  sayEverywhere();
}

// Adds the words of another page.
export function learn(words) {
  for (const spoken of Object.keys(words)) Object.assign(WORDS[spoken], words[spoken]);
}

// Keys of the two tables that the other one lacks: a test wants none.
export const lacking = () => ["en", "zh"].flatMap((a) => Object.keys(WORDS[a]).filter((key) => !(key in WORDS[a === "en" ? "zh" : "en"])));
