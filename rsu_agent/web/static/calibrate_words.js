// What the page of the signal heads says, in English and Chinese.
export const CALIBRATE = {
  en: {
    how_boxes: "Drag a box closely around each housing. Wheel or two fingers: closer.", closer: "closer", farther: "farther",
    whole: "whole picture", move: "move picture", undo: "undo", renew: "new picture", still: "The camera's picture with a box around each signal head",
    heads: "Signal heads", no_heads: "No box yet: drag one in the picture.", save: "save", group: "lamp group", layout: "lamps",
    group_of: "{0} · phase {1}", group_alone: "{0} · no phase", vertical: "red on top", horizontal: "red on the left", pair: "red above green", single: "one lamp", remove: "delete",
    reads: "reads:", box_of: "{0} × {1} px at {2}, {3}", saved: "Saved: {0} heads. Restart the agent.", unsaved: "Not saved yet.",
    not_saved: "Not saved:", wrong_size: "The picture is {0} px, but the camera's lens says {1} px: nothing is read.",
    no_picture: "No picture from the camera yet.", camera_lost: "The camera gives no new picture ({0}).", server_gone: "The page's server does not answer: is rsu calibrate still running?",
    making: "Watching until whoever moves has vanished: {0} of 30 pictures.",
    site_wrong: "The site file is not valid now:", unread: "cannot be told",
  },
  zh: {
    how_boxes: "沿每个灯箱边缘拖出一个框。滚轮或双指缩放。", closer: "放大", farther: "缩小", whole: "全图", move: "移动画面", undo: "撤销",
    renew: "刷新画面", still: "相机画面,每个信号灯一个框", heads: "信号灯", no_heads: "尚无框:请在画面上拖出一个。", save: "保存", group: "灯组", layout: "灯位",
    group_of: "{0} · 相位 {1}", group_alone: "{0} · 无相位", vertical: "竖排(红灯在上)", horizontal: "横排(红灯在左)", pair: "双灯(红上绿下)", single: "单灯", remove: "删除", reads: "识别:",
    box_of: "{0} × {1} 像素,位于 {2}, {3}", saved: "已保存 {0} 个信号灯,请重启代理。", unsaved: "尚未保存。", not_saved: "未保存:",
    wrong_size: "画面为 {0} 像素,而镜头设置为 {1} 像素:无法识别。", no_picture: "尚未收到相机画面。", camera_lost: "相机没有新画面({0})。",
    making: "正在取景,等待移动者从画面中消失:第 {0} 张,共 30 张。",
    server_gone: "本页面的服务无应答:rsu calibrate 是否仍在运行?", site_wrong: "站点文件目前无效:", unread: "无法判断",
  },
};
