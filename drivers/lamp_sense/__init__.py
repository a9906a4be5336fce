"""Lamp sensing: digital inputs on the lamp circuits, read over Modbus RTU."""
