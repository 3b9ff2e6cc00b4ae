import { IsInt, IsLatitude, IsLongitude, IsString, Length, Min } from 'class-validator';

/** What a cab's receiver reports. */
export class Position {
  @IsLatitude()
  latitude!: number;

  @IsLongitude()
  longitude!: number;
}

/** Where a cab was at a time. */
export class GpsFix extends Position {
  @IsString()
  @Length(1, 100)
  cabId!: string;

  /** Milliseconds since 1970. */
  @IsInt()
  @Min(0)
  takenAt!: number;
}
