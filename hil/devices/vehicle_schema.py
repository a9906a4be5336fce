"""What the virtual vehicle understands of T/CSAE 53-2020: its own ASN.1, typed from the facts for
  receiving.

Read apart from the product's schema, so that a slip in either shows. BSM, which vehicles send, is
in a file of its own.
"""

from hil.devices.vehicle_bsm_schema import BSM_SCHEMA

RECEIVED = """
Vehicle DEFINITIONS AUTOMATIC TAGS ::= BEGIN

MessageFrame ::= CHOICE { bsmFrame Bsm, mapFrame MapData, rsmFrame Rsm, spatFrame Spat, rsiFrame Rsi, ... }

MsgCount ::= INTEGER (0..127)
Minute ::= INTEGER (0..527040)
DSecond ::= INTEGER (0..65535)
TimeMark ::= INTEGER (0..36001)
Confidence ::= INTEGER (0..200)
Id8 ::= OCTET STRING (SIZE(8))

Name ::= IA5String (SIZE(1..63))
NodeRef ::= SEQUENCE { region INTEGER (0..65535) OPTIONAL, id INTEGER (0..65535) }
Lat ::= INTEGER (-900000000..900000001)
Lon ::= INTEGER (-1799999999..1800000001)
Elev ::= INTEGER (-4096..61439)
Pos3D ::= SEQUENCE { lat Lat, long Lon, elevation Elev OPTIONAL }
LL12 ::= SEQUENCE { lon INTEGER (-2048..2047), lat INTEGER (-2048..2047) }
LL14 ::= SEQUENCE { lon INTEGER (-8192..8191), lat INTEGER (-8192..8191) }
LL16 ::= SEQUENCE { lon INTEGER (-32768..32767), lat INTEGER (-32768..32767) }
LL18 ::= SEQUENCE { lon INTEGER (-131072..131071), lat INTEGER (-131072..131071) }
LL22 ::= SEQUENCE { lon INTEGER (-2097152..2097151), lat INTEGER (-2097152..2097151) }
LL24 ::= SEQUENCE { lon INTEGER (-8388608..8388607), lat INTEGER (-8388608..8388607) }
LLabs ::= SEQUENCE { lon Lon, lat Lat }
OffLL ::= CHOICE { ll1 LL12, ll2 LL14, ll3 LL16, ll4 LL18, ll5 LL22, ll6 LL24, abs LLabs }
OffV ::= CHOICE { v1 INTEGER (-64..63), v2 INTEGER (-128..127), v3 INTEGER (-256..255), v4 INTEGER
  (-512..511),
  v5 INTEGER (-1024..1023), v6 INTEGER (-2048..2047), abs Elev }
Off ::= SEQUENCE { offsetLL OffLL, offsetV OffV OPTIONAL }
Speed ::= INTEGER (0..8191)
Heading ::= INTEGER (0..28800)
Radius ::= INTEGER (0..65535)
TimeConf ::= ENUMERATED { c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15, c16, c17,
  c18, c19,
  c20, c21, c22, c23, c24, c25, c26, c27, c28, c29, c30, c31, c32, c33, c34, c35, c36, c37, c38, c39 }

Spat ::= SEQUENCE { msgCnt MsgCount, moy Minute OPTIONAL, timeStamp DSecond OPTIONAL, name Name OPTIONAL,
  intersections SEQUENCE (SIZE(1..32)) OF Intersection, ... }
Intersection ::= SEQUENCE { intersectionId NodeRef, status BIT STRING (SIZE(16)), moy Minute OPTIONAL,
  timeStamp DSecond OPTIONAL, timeConfidence TimeConf OPTIONAL, phases SEQUENCE (SIZE(1..16)) OF Phase,
  ... }
Phase ::= SEQUENCE { id INTEGER (0..255), phaseStates SEQUENCE (SIZE(1..16)) OF PhaseState }
PhaseState ::= SEQUENCE { light Light, timing CHOICE { counting Counting, utcTiming UtcTiming, ... }
  OPTIONAL, ... }
Light ::= ENUMERATED { unavailable, dark, flashing-red, red, flashing-green, permissive-green,
  protected-green,
  yellow, flashing-yellow, ... }
Counting ::= SEQUENCE { startTime TimeMark, minEndTime TimeMark OPTIONAL, maxEndTime TimeMark OPTIONAL,
  likelyEndTime TimeMark, timeConfidence Confidence OPTIONAL, nextStartTime TimeMark OPTIONAL,
  nextDuration TimeMark OPTIONAL }
UtcTiming ::= SEQUENCE { startUTCTime TimeMark, minEndUTCTime TimeMark OPTIONAL, maxEndUTCTime TimeMark
  OPTIONAL,
  likelyEndUTCTime TimeMark, timeConfidence Confidence OPTIONAL, nextStartUTCTime TimeMark OPTIONAL,
  nextEndUTCTime TimeMark OPTIONAL }

MapData ::= SEQUENCE { msgCnt MsgCount, timeStamp Minute OPTIONAL, nodes SEQUENCE (SIZE(1..63)) OF Node,
  ... }
Node ::= SEQUENCE { name Name OPTIONAL, id NodeRef, refPos Pos3D,
  inLinks SEQUENCE (SIZE(1..32)) OF Link OPTIONAL, ... }
Link ::= SEQUENCE { name Name OPTIONAL, upstreamNodeId NodeRef, speedLimits Limits OPTIONAL,
  linkWidth INTEGER (0..32767) OPTIONAL, points Points OPTIONAL,
  movements SEQUENCE (SIZE(1..32)) OF Movement OPTIONAL, lanes SEQUENCE (SIZE(1..32)) OF Lane, ... }
Movement ::= SEQUENCE { remoteIntersection NodeRef, phaseId INTEGER (0..255) OPTIONAL }
Limits ::= SEQUENCE (SIZE(1..9)) OF SEQUENCE { type LimitType, speed Speed }
LimitType ::= ENUMERATED { l0, l1, l2, l3, l4, l5, l6, l7, l8, l9, l10, l11, l12, ... }
Points ::= SEQUENCE (SIZE(2..31)) OF SEQUENCE { posOffset Off, ... }
Manoeuvres ::= BIT STRING (SIZE(12))
Lane ::= SEQUENCE { laneID INTEGER (0..255), laneWidth INTEGER (0..32767) OPTIONAL,
  laneAttributes LaneAttributes OPTIONAL, maneuvers Manoeuvres OPTIONAL,
  connectsTo SEQUENCE (SIZE(1..16)) OF Connection OPTIONAL, speedLimits Limits OPTIONAL, points Points
  OPTIONAL, ... }
LaneAttributes ::= SEQUENCE { shareWith BIT STRING (SIZE(10)) OPTIONAL, laneType LaneType }
LaneType ::= CHOICE { vehicle BIT STRING (SIZE(8, ...)), crosswalk BIT STRING (SIZE(16)), bikeLane BIT
  STRING (SIZE(16)),
  sidewalk BIT STRING (SIZE(16)), median BIT STRING (SIZE(16)), striping BIT STRING (SIZE(16)),
  trackedVehicle BIT STRING (SIZE(16)), parking BIT STRING (SIZE(16)), ... }
Connection ::= SEQUENCE { remoteIntersection NodeRef, connectingLane SEQUENCE { lane INTEGER (0..255),
  maneuver Manoeuvres OPTIONAL } OPTIONAL, phaseId INTEGER (0..255) OPTIONAL }

Rsm ::= SEQUENCE { msgCnt MsgCount, id Id8, refPos Pos3D, participants SEQUENCE (SIZE(1..16)) OF
  Participant, ... }
Participant ::= SEQUENCE { ptcType PtcType, ptcId INTEGER (0..65535), source Source, id Id8 OPTIONAL,
  secMark DSecond,
  pos Off, posConfidence PosConfSet, transmission Gear OPTIONAL, speed Speed, heading Heading,
  angle INTEGER (-126..127) OPTIONAL, motionCfd MotionConf OPTIONAL, accelSet Accel OPTIONAL, size Size,
  vehicleClass VehClass OPTIONAL, ... }
PtcType ::= ENUMERATED { unknown, motor, non-motor, pedestrian, rsu, ... }
Source ::= ENUMERATED { unknown, selfinfo, v2x, video, microwaveRadar, loop, lidar, integrated, ... }
Class16 ::= ENUMERATED { k0, k1, k2, k3, k4, k5, k6, k7, k8, k9, k10, k11, k12, k13, k14, k15 }
PosConfSet ::= SEQUENCE { pos Class16, elevation Class16 OPTIONAL }
Gear ::= ENUMERATED { g0, g1, g2, g3, g4, g5, g6, g7 }
Class8 ::= ENUMERATED { m0, m1, m2, m3, m4, m5, m6, m7 }
MotionConf ::= SEQUENCE { speedCfd Class8 OPTIONAL, headingCfd Class8 OPTIONAL,
  steerCfd ENUMERATED { s0, s1, s2, s3 } OPTIONAL }
Accel ::= SEQUENCE { long INTEGER (-2000..2001), lat INTEGER (-2000..2001), vert INTEGER (-127..127),
  yaw INTEGER (-32767..32767) }
Size ::= SEQUENCE { width INTEGER (0..1023), length INTEGER (0..4095), height INTEGER (0..127) OPTIONAL }
VehClass ::= SEQUENCE { classification INTEGER (0..255), fuelType INTEGER (0..15) OPTIONAL, ... }

Rsi ::= SEQUENCE { msgCnt MsgCount, moy Minute OPTIONAL, id Id8, refPos Pos3D,
  rtes SEQUENCE (SIZE(1..8)) OF Event OPTIONAL, rtss SEQUENCE (SIZE(1..16)) OF Sign OPTIONAL, ... }
Event ::= SEQUENCE { rteId INTEGER (0..255), eventType INTEGER (0..65535), eventSource EventSource,
  eventPos Off OPTIONAL,
  eventRadius Radius OPTIONAL, description Words OPTIONAL, timeDetails Times OPTIONAL,
  priority OCTET STRING (SIZE(1)) OPTIONAL, referencePaths Paths OPTIONAL, referenceLinks RefLinks OPTIONAL,
  eventConfidence Confidence OPTIONAL, ... }
EventSource ::= ENUMERATED { unknown, police, government, meteorological, internet, detection, ... }
Words ::= CHOICE { textString IA5String (SIZE(1..512)), textGB2312 OCTET STRING (SIZE(2..512)) }
Times ::= SEQUENCE { startTime Minute OPTIONAL, endTime Minute OPTIONAL, endTimeConfidence TimeConf
  OPTIONAL }
Paths ::= SEQUENCE (SIZE(1..8)) OF SEQUENCE { activePath SEQUENCE (SIZE(1..32)) OF Off, pathRadius Radius }
RefLinks ::= SEQUENCE (SIZE(1..16)) OF SEQUENCE { upstreamNodeId NodeRef, downstreamNodeId NodeRef,
  referenceLanes BIT STRING (SIZE(16)) OPTIONAL }
Sign ::= SEQUENCE { rtsId INTEGER (0..255), signType INTEGER (0..65535), signPos Off OPTIONAL,
  description Words OPTIONAL,
  timeDetails Times OPTIONAL, priority OCTET STRING (SIZE(1)) OPTIONAL, referencePaths Paths OPTIONAL,
  referenceLinks RefLinks OPTIONAL, ... }
"""

SCHEMA = RECEIVED + BSM_SCHEMA + "END\n"
