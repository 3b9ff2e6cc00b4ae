import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import { ValidationError } from '@millrace/core';
import { Type } from 'class-transformer';
import { IsArray, IsInt, IsOptional, ValidateNested } from 'class-validator';
import { payloadValidation } from './payload-validation.js';

class Item {
  @IsInt()
  quantity!: number;

  @IsOptional()
  @ValidateNested()
  @Type(() => Item)
  inside?: Item;
}

class Order {
  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => Item)
  items!: Item[];
}

describe('a payload of which everything is wrong', () => {
  it('has its first hundred problems named', async () => {
    const validate = await payloadValidation(Order);
    const items = Array.from({ length: 5000 }, () => ({ quantity: 'many' }));
    const error = await validate({ items }, 'the order').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ValidationError);
    const { problems, message } = error as ValidationError;
    expect(problems).toHaveLength(100);
    expect(problems[99]).toBe('items.99.quantity must be an integer number');
    expect(message.endsWith('items.99.quantity must be an integer number; and more')).toBe(true);
  });
});

describe('a payload that is nested too deeply', () => {
  it('is invalid, and no failure that another attempt could mend', async () => {
    const validate = await payloadValidation(Item);
    let item: object = { quantity: 1 };
    for (let depth = 0; depth < 20_000; depth++) item = { quantity: 1, inside: item };
    await expect(validate(item, 'the item')).rejects.toThrow(
      new ValidationError('the item', ['it is nested too deeply to be checked']),
    );
  });
});
