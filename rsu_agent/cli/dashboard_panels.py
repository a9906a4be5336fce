"""The panels of the two dashboards: questions of a technician at one pole, and of a district about all.

MINE in an expression stands for the choice of the dashboard: this pole, these sites.
"""

from __future__ import annotations

from rsu_agent.cli.dashboards import Dashboard, Panel

YES_NO = ("否 / no", "是 / yes")
SAID = ("不播 / silent", "播 / said")
LATENCY = "histogram_quantile({}, sum by (le) (rate(rsu_spat_report_to_radio_seconds_bucket{{MINE}}[5m])))"
GARBLED = (
    'sum by (device) (rate(rsu_device_events_total{MINE, what=~"garbled|undecodable"}[10m]))'
    " / sum by (device) (rate(rsu_device_events_total{MINE,"
    ' what=~"garbled|undecodable|frames|lines|words|pictures"}[10m]))'
)
GIVEN_UP = 'sum by (lane) (rsu_outbox_records{MINE, what=~"dropped|dead"})'
REFUSED = "sum by (site) (increase(rsu_site_refused_envelopes_total{MINE}[5m])) > 0"
TWICE = "topk(20, increase(rsu_site_duplicate_envelopes_total{MINE}[5m]))"
IN_STREAM = ("rsu_district_waiting_in_stream", "in the stream")

ON_AIR = (
    Panel("SPAT 现在有效?", "Does SPAT say something now?", "stat", "none",
          (("rsu_spat_valid{MINE}", ""),), 4, 1.0, 1.0, True, YES_NO),
    Panel("近十分钟有效占比", "Share of the last ten minutes", "stat", "percentunit",
          (("rsu_spat_valid_ratio{MINE}", ""),), 4, 0.99, 0.9, True),
    Panel("为何无效(帧/秒)", "Why it said nothing, frames a second", "timeseries", "short",
          (("sum by (reason) (rate(rsu_spat_silenced_total{MINE}[5m]))", "{{reason}}"),)),
    Panel("空口消息(条/秒)", "On air, messages a second", "timeseries", "short",
          (("sum by (kind) (rate(rsu_radio_sent_total{MINE}[1m]))", "{{kind}}"),)),
    Panel("灯色变化到空口", "From the controller's report to the radio", "timeseries", "s",
          ((LATENCY.format(0.5), "p50"), (LATENCY.format(0.99), "p99")), 12, 0.02, 0.05),
    Panel("已发消息中的错误(5 分钟)", "Faults found in what was sent, in 5 minutes", "timeseries", "short",
          (("sum by (kind) (increase(rsu_sent_faults_total{MINE}[5m]))", "{{kind}}"),), 12, 1.0),
)  # fmt: skip
WITNESS = (
    Panel("相机与信号机是否一致", "Do cameras see what the controller reports?", "state-timeline", "none",
          (("rsu_witness_agreement_ratio{MINE}", "{{group}}"),), 12, 1.0, 1.0, True, YES_NO),
    Panel("因矛盾而不播的灯组", "Groups kept silent by a contradiction", "state-timeline", "none",
          (("rsu_witness_colour_valid{MINE}", "{{group}}"),), 6, 1.0, 1.0, True, SAID),
    Panel("多久没看清灯头", "How long ago was each head last seen?", "timeseries", "s",
          (("rsu_witness_seen_age_seconds{MINE}", "{{group}}"),), 6, 60.0, 600.0),
)  # fmt: skip
DEVICES = (
    Panel("哪个传感器有问题,已多久", "Which sensor has what, and for how long?", "table", "s",
          (("rsu_sensor_trouble_seconds{MINE} > 0", ""),), 12, 60.0, 600.0),
    Panel("各线路无法读取的占比", "Share of each line that cannot be read", "timeseries", "percentunit",
          ((GARBLED, "{{device}}"),), 12, 0.01, 0.1),
    Panel("相机帧率与应有之比", "Pictures a second over those expected", "timeseries", "percentunit",
          (("rsu_camera_rate_ratio{MINE}", "{{camera}}"),), 8, 0.8, 0.6, True),
    Panel("边缘仍清晰的画面占比", "Share of the picture that still has its edges", "timeseries",
          "percentunit", (("rsu_camera_edges_kept_ratio{MINE}", "{{camera}}"),), 8, 0.8, 0.6, True),
    Panel("信号机时钟偏差", "The controller's clock less UTC", "timeseries", "s",
          (("rsu_controller_clock_offset_seconds{MINE}", "{{instance}}"),), 8, 2.0, 10.0),
)  # fmt: skip
UPLINK = (
    Panel("上行状态", "Why the uplink is, or is not, well", "state-timeline", "none",
          (("rsu_uplink_reason_valid{MINE}", "{{reason}}"),), 12, words=("", "●")),
    Panel("待回执的记录", "Records waiting for the district's receipt", "timeseries", "short",
          (('rsu_outbox_records{MINE, what="queued"}', "{{lane}}"),), 6),
    Panel("放弃的记录", "Records given up", "stat", "short",
          ((GIVEN_UP, "{{lane}}"), ("sum (rsu_outbox_refused_records{MINE})", "refused")), 6, 1.0, 1.0),
    Panel("回执用时", "From publishing to the district's word", "timeseries", "s",
          (("rsu_uplink_round_trip_seconds{MINE}", "{{instance}}"),), 12, 1.0, 5.0),
    Panel("各进程内存", "Memory of each process", "timeseries", "bytes",
          (("rsu_process_resident_bytes{MINE}", "{{process}}"),), 12),
)  # fmt: skip
NOW = (
    Panel("各状态路口数", "Crossings by their health", "bargauge", "none",
          (("sum by (health) (rsu_district_sites)", "{{health}}"),)),
    Panel("接收(包/秒)", "Received, envelopes a second", "timeseries", "short",
          (("rate(rsu_district_envelopes_total[5m])", "envelopes"),
           ("rate(rsu_district_duplicates_total[5m])", "duplicates"))),
    Panel("本页数据有多旧", "How old is what this page knows?", "stat", "s",
          (("rsu_district_look_age_seconds", ""),), 8, 30.0, 120.0),
    Panel("最久未报的路口", "Crossings not heard for longest", "table", "s",
          (("topk(20, rsu_site_age_seconds{MINE})", ""),), 8, 120.0, 600.0),
    Panel("积压最多的路口", "Crossings farthest behind", "table", "s",
          (("topk(20, rsu_site_backlog_seconds{MINE})", ""),), 8, 300.0, 3600.0),
    Panel("未连接的路口", "Crossings not connected", "table", "none",
          (("rsu_site_connected{MINE} == 0", ""),)),
)  # fmt: skip
TRUTH = (
    Panel("缺失的包", "Envelopes that have not come", "table", "short",
          (("rsu_site_missing_envelopes{MINE} > 0", ""),), 8, 1.0, 100.0),
    Panel("时钟可疑的路口", "Crossings whose clock is in doubt", "table", "s",
          (("rsu_site_clock_bound_seconds{MINE} > 0.1", ""),), 8, 0.1, 1.0),
    Panel("更换过磁盘的路口", "Crossings with a replaced disk", "table", "none",
          (("rsu_site_outboxes{MINE} > 1", ""),)),
    Panel("版本不一的路口", "Crossings of another schema version", "table", "none",
          (("rsu_site_schema_skew{MINE} != 0", ""),)),
    Panel("拒收的包(5 分钟)", "Refused arrivals, in 5 minutes", "timeseries", "short",
          ((REFUSED, "{{site}}"),), 8, 1.0),
    Panel("死信", "Dead letters", "timeseries", "short",
          (("sum by (reason) (rsu_district_dead_letters)", "{{reason}}"),)),
    Panel("重复到达(5 分钟)", "Arrivals beyond the first, in 5 minutes", "timeseries", "short",
          ((TWICE, "{{site}}"),), 12),
    Panel("未提交的消息", "Heard and not yet committed", "timeseries", "short",
          (("rsu_district_waiting_messages", "waiting"), IN_STREAM), 12),
)  # fmt: skip
POLE = Dashboard(
    "rsu-pole", "路口", "One crossing", "rsu_spat_valid", "instance", False,
    (("空口", "On air", ON_AIR), ("见证", "Witness", WITNESS),
     ("设备", "Devices", DEVICES), ("上行", "Uplink", UPLINK)),
)  # fmt: skip
DISTRICT = Dashboard(
    "rsu-district", "全区", "District", "rsu_site_age_seconds", "site", True,
    (("现状", "Now", NOW), ("数据可信度", "What may be trusted", TRUTH)),
)  # fmt: skip
DASHBOARDS = {"pole.json": POLE, "district.json": DISTRICT}
