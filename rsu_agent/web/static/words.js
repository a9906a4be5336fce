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
    since: "for {0} s",
  },
  zh: {
    other: "English", map: "路口俯视图，上北下南", signals: "信号灯", hazards: "危险事件", devices: "设备", users: "交通参与者",
    uplink: "区级平台", radio: "无线播发", messages: "最近消息", track: "编号", kind: "类型", speed: "km/h", none: "无",
    connecting: "正在连接…", on_air: "正在播发", unavailable: "不可用：{0}", agent_silent: "代理无应答", page_gone: "本页面的服务无应答",
    past: "以下内容并非当前状态：最后更新于 {0} 秒前。", never: "尚未收到任何数据。", age: "灯态已过 {0} 秒", no_lamps: "未收到灯态",
    plan: "方案 {0} · 阶段 {1}", connected: "已连接", waiting: "待确认", acknowledged: "已确认", failed: "失败", yes: "是", no: "否",
    no_uplink: "未上报", since: "持续 {0} 秒",
  },
};
// The agent's own words, apart from the page's: a camera's "frozen" is not a sentence of the page.
const CODES = {
  en: {},
  zh: {
    car: "小客车", truck: "货车", bus: "公交车", motorcycle: "摩托车", bicycle: "自行车",
    tricycle: "三轮车", cart: "无人配送车", pedestrian: "行人", unknown: "未知", green: "绿", green_flash: "绿闪", yellow: "黄",
    yellow_flash: "黄闪", red: "红", red_flash: "红闪", red_yellow: "红黄", dark: "灭", red_light_running: "闯红灯",
    wrong_way: "逆行", stopped_vehicle: "车辆滞留", pedestrian_on_red: "行人闯红灯", ok: "正常", starting: "启动中", degraded: "降级",
    lost: "失联", missing: "设备不存在", closed: "连接断开", refused: "连接被拒", timeout: "超时", garbled: "数据乱码",
    N: "北", E: "东", S: "南", W: "西", silent: "无数据", frozen: "画面不动", stalled: "画面中断",
    black: "画面全黑", over_exposed: "过曝", slow: "帧率过低", defocused: "失焦", dirty: "镜头脏污", moved: "相机移位",
    blind: "漏检严重", process_gone: "所属进程已退出",
    opening: "正在打开", busy: "端口被占用", permission: "无权限", version: "版本不符", no_programme: "未读到配时方案",
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
