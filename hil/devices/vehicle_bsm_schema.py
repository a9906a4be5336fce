"""What vehicles send, T/CSAE 53-2020: the whole BSM, typed from the facts.

Presence bits stand before a sequence's first field: a BSM cannot be read without all of its options.
It shares types with what is received.
"""

BSM_SCHEMA = """
Bsm ::= SEQUENCE { msgCnt MsgCount, id Id8, secMark DSecond, timeConfidence TimeConf OPTIONAL, pos Pos3D,
  posAccuracy PosAccuracy OPTIONAL, posConfidence PosConfSet OPTIONAL, transmission Gear, speed Speed,
  heading Heading, angle INTEGER (-126..127) OPTIONAL, motionCfd MotionConf OPTIONAL, accelSet Accel,
  brakes Brakes, size Size, vehicleClass VehClass, safetyExt SafetyExt OPTIONAL,
  emergencyExt EmergencyExt OPTIONAL, ... }
PosAccuracy ::= SEQUENCE { semiMajor INTEGER (0..255), semiMinor INTEGER (0..255),
  orientation INTEGER (0..65535) }
Three ::= ENUMERATED { unavailable, off, on }
Four ::= ENUMERATED { unavailable, off, on, engaged }
Brakes ::= SEQUENCE { brakePadel Three OPTIONAL, wheelBrakes BIT STRING (SIZE(5)) OPTIONAL,
  traction Four OPTIONAL, abs Four OPTIONAL, scs Four OPTIONAL, brakeBoost Three OPTIONAL,
  auxBrakes Four OPTIONAL }
SafetyExt ::= SEQUENCE { events BIT STRING (SIZE(13, ...)) OPTIONAL, pathHistory PathHistory OPTIONAL,
  pathPrediction PathPrediction OPTIONAL, lights BIT STRING (SIZE(9, ...)) OPTIONAL, ... }
PathHistory ::= SEQUENCE { initialPosition FullPosition OPTIONAL,
  currGNSSstatus BIT STRING (SIZE(8)) OPTIONAL,
  crumbData SEQUENCE (SIZE(1..23)) OF Crumb, ... }
Crumb ::= SEQUENCE { llvOffset Off, timeOffset INTEGER (1..65535), speed Speed OPTIONAL,
  posAccuracy PosConfSet OPTIONAL, heading INTEGER (0..240) OPTIONAL, ... }
FullPosition ::= SEQUENCE { utcTime Moment OPTIONAL, pos Pos3D, heading Heading OPTIONAL,
  transmission Gear OPTIONAL, speed Speed OPTIONAL, posAccuracy PosAccuracy OPTIONAL,
  posConficence PosConfSet OPTIONAL, timeConfidence TimeConf OPTIONAL, motionCfd MotionConf OPTIONAL, ... }
Moment ::= SEQUENCE { year INTEGER (0..4095) OPTIONAL, month INTEGER (0..12) OPTIONAL,
  day INTEGER (0..31) OPTIONAL, hour INTEGER (0..24) OPTIONAL, minute INTEGER (0..60) OPTIONAL,
  second DSecond OPTIONAL, offset INTEGER (-720..721) OPTIONAL }
PathPrediction ::= SEQUENCE { radiusOfCurve INTEGER (-32767..32767), confidence Confidence, ... }
EmergencyExt ::= SEQUENCE { responseType ENUMERATED { r0, r1, r2, r3, r4, r5, r6, ... } OPTIONAL,
  sirenUse ENUMERATED { s0, s1, s2, s3 } OPTIONAL,
  lightsUse ENUMERATED { l0, l1, l2, l3, l4, l5, l6, l7 } OPTIONAL, ... }
"""
