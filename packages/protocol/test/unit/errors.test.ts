import {
  ERROR_CODES,
  holdfastError,
  isHoldfastError,
  isRejectError,
  RejectError,
  refusal,
  Type,
} from '@holdfast/protocol';
import { describe, expect, test } from 'vitest';

describe('errors', () => {
  test('carry a code, what it entails, and just the details of that code', () => {
    const cause = new Error('socket');
    const error = holdfastError('ERR_TOO_BIG', 'too big', {
      delivery: 'unsent',
      messageId: 'm',
      maxBytes: 5,
      cause,
    });
    expect(error).toBeInstanceOf(Error);
    expect({ ...error, message: error.message }).toMatchObject({
      name: 'HoldfastError',
      code: 'ERR_TOO_BIG',
      message: 'too big',
      retryable: false,
      delivery: 'unsent',
      messageId: 'm',
      maxBytes: 5,
      cause,
    });
  });

  test('are known by their brand, not by their class: another copy of the package makes them, too', () => {
    const foreign = Object.assign(new Error('x'), {
      code: 'ERR_TIMEOUT',
      [Symbol.for('holdfast.error')]: true,
    });
    expect(isHoldfastError(foreign)).toBe(true);
    expect(isHoldfastError(foreign, 'ERR_TIMEOUT')).toBe(true);
    expect(isHoldfastError(foreign, 'ERR_CLOSED')).toBe(false);
    expect(isHoldfastError(new Error('x'))).toBe(false);
    expect(isHoldfastError(null)).toBe(false);
    expect(isHoldfastError('ERR_TIMEOUT')).toBe(false);
  });

  test('a refusal says when to try again; 0 if the other end does not', () => {
    const told = (data: unknown) =>
      refusal([Type.ERR, 1, 'ERR_RATE_LIMITED', 'too many', data], { id: 'm', event: 'note' });
    expect(told({ retryAfterMs: 5 })).toMatchObject({
      code: 'ERR_RATE_LIMITED',
      retryAfterMs: 5,
      retryable: true,
    });
    for (const data of [undefined, null, 5, {}, { retryAfterMs: '5' }]) {
      expect(told(data)).toMatchObject({ code: 'ERR_RATE_LIMITED', delivery: 'rejected', retryAfterMs: 0 });
    }
  });

  test('every code is an ERR_', () => {
    expect(ERROR_CODES.length).toBeGreaterThan(15);
    for (const code of ERROR_CODES) expect(code).toMatch(/^ERR_[A-Z_]+$/);
  });

  test('RejectError says why, and with what', () => {
    const error = new RejectError('banned', { message: 'for a week', data: { days: 7 } });
    expect(error).toMatchObject({ reason: 'banned', message: 'for a week', data: { days: 7 } });
    expect(new RejectError('banned').message).toBe('banned');
    expect('data' in new RejectError('banned') && new RejectError('banned').data).toBeFalsy();
    expect(isRejectError(error)).toBe(true);
    expect(isRejectError(new Error('banned'))).toBe(false);
  });
});
