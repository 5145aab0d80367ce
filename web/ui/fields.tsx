// Labelled controls bound to a signal: what one changes is in the address at once.
import { type Signal } from '@preact/signals';
import { useId } from 'preact/hooks';

interface FieldProps {
  readonly label: string;
  /** One sentence about what the setting does. */
  readonly hint: string;
}

interface SelectFieldProps<T extends string> extends FieldProps {
  readonly value: Signal<T>;
  readonly options: readonly (readonly [value: T, text: string])[];
}

export function SelectField<T extends string>({ label, hint, value, options }: SelectFieldProps<T>) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select
        id={id}
        aria-describedby={`${id}-hint`}
        value={value.value}
        onChange={({ currentTarget }) => {
          const chosen = options[currentTarget.selectedIndex];
          if (chosen !== undefined) value.value = chosen[0];
        }}
      >
        {options.map(([option, text]) => (
          <option key={option} value={option}>
            {text}
          </option>
        ))}
      </select>
      <p class="hint" id={`${id}-hint`}>
        {hint}
      </p>
    </div>
  );
}

interface RangeFieldProps extends FieldProps {
  readonly value: Signal<number>;
  readonly low: number;
  readonly high: number;
  /** Added per notch; on a logarithmic scale, multiplied. */
  readonly step: number;
  readonly scale?: 'linear' | 'logarithmic';
  /** Only whole numbers. */
  readonly whole?: boolean;
  readonly format?: (value: number) => string;
}

export function RangeField({
  label,
  hint,
  value,
  low,
  high,
  step,
  scale = 'linear',
  whole = false,
  format = (number) => number.toLocaleString('en'),
}: RangeFieldProps) {
  const id = useId();
  const toNotch = (number: number): number =>
    scale === 'linear' ? (number - low) / step : Math.log(number / low) / Math.log(step);
  const fromNotch = (notch: number): number => (scale === 'linear' ? low + notch * step : low * step ** notch);
  return (
    <div class="field">
      <label for={id}>
        {label} <output for={id}>{format(value.value)}</output>
      </label>
      <input
        id={id}
        type="range"
        min={0}
        max={Math.round(toNotch(high))}
        step={1}
        value={Math.round(toNotch(value.value))}
        aria-valuetext={format(value.value)}
        aria-describedby={`${id}-hint`}
        onInput={({ currentTarget }) => {
          const chosen = fromNotch(currentTarget.valueAsNumber);
          value.value = whole ? Math.round(chosen) : Number(chosen.toPrecision(6));
        }}
      />
      <p class="hint" id={`${id}-hint`}>
        {hint}
      </p>
    </div>
  );
}

interface FileButtonProps {
  readonly id: string;
  readonly text: string;
  readonly accept: string;
  readonly multiple?: boolean;
  readonly class?: string;
  readonly onFiles: (files: readonly File[]) => void;
}

/** A button that opens the file dialog; the same file may be chosen twice. */
export function FileButton({ id, text, accept, multiple = false, class: style = '', onFiles }: FileButtonProps) {
  return (
    <>
      <input
        class="visually-hidden"
        type="file"
        id={id}
        accept={accept}
        multiple={multiple}
        onChange={({ currentTarget }) => {
          onFiles(Array.from(currentTarget.files ?? []));
          currentTarget.value = '';
        }}
      />
      <label class={`button ${style}`} for={id}>
        {text}
      </label>
    </>
  );
}

interface CheckFieldProps extends FieldProps {
  readonly value: Signal<boolean>;
}

export function CheckField({ label, hint, value }: CheckFieldProps) {
  const id = useId();
  return (
    <div class="field">
      <label class="field__check">
        <input
          type="checkbox"
          checked={value.value}
          aria-describedby={`${id}-hint`}
          onChange={({ currentTarget }) => {
            value.value = currentTarget.checked;
          }}
        />
        {label}
      </label>
      <p class="hint" id={`${id}-hint`}>
        {hint}
      </p>
    </div>
  );
}
