// How this producer writes Avro's logical types: amounts from decimal strings, instants from ISO 8601 strings.

import avro from "avsc";

/** `bytes` with `logicalType: decimal`: "250.00" becomes the unscaled integer, big-endian, two's complement. */
class Decimal extends avro.types.LogicalType {
  constructor(schema, options) {
    super(schema, options);
    this.scale = schema.scale ?? 0;
    this.precision = schema.precision;
  }

  _toValue(text) {
    const [, sign, whole, fraction = ""] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text) ?? [];
    if (whole === undefined || fraction.length > this.scale) return undefined;
    const digits = (whole + fraction.padEnd(this.scale, "0")).replace(/^0+(?=\d)/, "");
    if (digits.length > this.precision) return undefined;
    return twosComplement(BigInt(sign + digits));
  }
}

/** `long` with `logicalType: timestamp-micros`, from an ISO 8601 string. Until the year 2255 a number holds every microsecond. */
class TimestampMicros extends avro.types.LogicalType {
  _toValue(text) {
    const [, second, fraction = "", offset] = /^(.{19})(?:\.(\d{1,6}))?(Z|[+-]\d\d:\d\d)$/.exec(text) ?? [];
    const micros = Date.parse(`${second}${offset}`) * 1000 + Number(fraction.padEnd(6, "0"));
    return Number.isSafeInteger(micros) ? micros : undefined;
  }
}

function twosComplement(integer) {
  let bytes = 1;
  while (BigInt.asIntN(8 * bytes, integer) !== integer) bytes += 1;
  const hex = BigInt.asUintN(8 * bytes, integer).toString(16);
  return Buffer.from(hex.padStart(2 * bytes, "0"), "hex");
}

export const logicalTypes = { decimal: Decimal, "timestamp-micros": TimestampMicros };
