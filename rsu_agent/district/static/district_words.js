// What the page says, in English and Chinese; a word without an entry is shown as the pole says it.
const WORDS = {
  en: {
    district: "District", sites: "Crossings", site: "crossing", heard: "heard", backlog: "backlog", missing: "missing", clock: "clock",
    version: "version", search: "Search crossings", map: "Crossings on a plain map, north up", other: "中文", live: "Live crossing ↗",
    no_live: "No address of its live page is known.", devices: "Devices", hazards_now: "Hazards now", flow: "Last minute by lane",
    lane: "lane", passed: "passed", speed: "km/h", queue: "queue m", news: "News", none: "none", never: "never",
    as_of: "as of {0} s ago", gone: "The district's server does not answer.", database: "The database does not answer: {0}",
    past: "Nothing below is the present: last heard {0} s ago.", no_sites: "No crossing has said anything yet.",
    more: "{0} more: search to find them", no_place: "no position known", ago: "{0} ago", connected: "connected", yes: "yes", no: "no",
    duplicates: "arrived again", refused: "refused", outboxes: "outbox files", software: "software", found: "found", over: "over",
    live_here: "This moment, as said to vehicles", live_none: "Nothing is said of this moment.", live_count: "{0} road users · {1} hazards",
    live_plan: "Road users and hazards on a plain map, north up", larger: "Larger", smaller: "Smaller", whole: "Whole district",
    skew: "{0} ({1} against ours)", s: "s", min: "min", h: "h", d: "d",
  },
  zh: {
    district: "区级平台", sites: "路口", site: "路口", heard: "最近收到", backlog: "积压", missing: "缺失", clock: "时钟", version: "版本",
    search: "查找路口", map: "路口位置示意图，上北下南", other: "English", live: "实时路口 ↗", no_live: "未登记该路口的实时页面地址。",
    devices: "设备", hazards_now: "当前危险事件", flow: "各车道最近一分钟", lane: "车道", passed: "通过", speed: "km/h", queue: "排队 m",
    news: "动态", none: "无", never: "从未", as_of: "{0} 秒前的状态", gone: "区级服务无应答。", database: "数据库无应答：{0}",
    past: "以下内容并非当前状态：最后更新于 {0} 秒前。", no_sites: "尚无路口上报。", more: "另有 {0} 个，请查找", no_place: "位置未知",
    ago: "{0}前", connected: "已连接", yes: "是", no: "否", duplicates: "重复到达", refused: "被拒收", outboxes: "发件箱文件", software: "软件",
    live_here: "此刻对车辆播发的内容", live_none: "当前无实时内容。", live_count: "交通参与者 {0} · 事件 {1}",
    live_plan: "交通参与者与事件示意图，上北下南", larger: "放大", smaller: "缩小", whole: "全区",
    found: "发生", over: "结束", skew: "{0}（与本平台相差 {1}）", s: "秒", min: "分", h: "小时", d: "天",
  },
};
const CODES = {
  en: { unknown: "not told" },
  zh: {
    ok: "正常", degraded: "降级", lost: "失联", silent: "无消息", unknown: "未上报", fresh: "新鲜", late: "迟到", never: "从未", good: "良好",
    doubtful: "可疑", starting: "启动中", missing: "设备不存在", closed: "连接断开", refused: "连接被拒", timeout: "超时", garbled: "数据乱码",
    frozen: "画面不动", permission: "无权限", busy: "端口被占用", red_light_running: "闯红灯", wrong_way: "逆行",
    red: "红", green: "绿", yellow: "黄", red_flash: "红闪", green_flash: "绿闪", yellow_flash: "黄闪", red_yellow: "红黄", dark: "灭灯",
    stopped_vehicle: "车辆滞留", pedestrian_on_red: "行人闯红灯", opening: "正在打开",
  },
};

const kept = () => { try { return localStorage.getItem("language"); } catch { return null; } };
let language = kept() ?? (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en");
if (!(language in WORDS)) language = "en";

export const WORDS_OF = WORDS;

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
  for (const element of document.querySelectorAll("[data-words-label]")) {
    element.setAttribute("aria-label", say(element.dataset.wordsLabel));
    if (element.tagName === "INPUT") element.placeholder = say(element.dataset.wordsLabel);
  }
}

export function otherLanguage() {
  language = language === "zh" ? "en" : "zh";
  try { localStorage.setItem("language", language); } catch { /* only not remembered */ }
  sayEverywhere();
}

export function span(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  for (const [limit, unit, size] of [[120, "s", 1], [7200, "min", 60], [172800, "h", 3600]])
    if (seconds < limit) return `${(seconds / size).toFixed(0)} ${say(unit)}`;
  return `${(seconds / 86400).toFixed(0)} ${say("d")}`;
}
