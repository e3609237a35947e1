// A choice from a short list, as the browser itself draws it: right on every device.
import { useId } from 'preact/hooks';

export function SelectField<T extends string>({
  label,
  value,
  choices,
  hint,
  onChoose,
}: {
  label: string;
  value: T;
  choices: readonly { value: T; label: string }[];
  hint?: string;
  onChoose(value: T): void;
}) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select
        id={id}
        class="input select"
        value={value}
        aria-describedby={hint ? `${id}-note` : undefined}
        onChange={(event) => onChoose(event.currentTarget.value as T)}
      >
        {choices.map((choice) => (
          <option key={choice.value} value={choice.value}>
            {choice.label}
          </option>
        ))}
      </select>
      {hint && (
        <p class="hint" id={`${id}-note`}>
          {hint}
        </p>
      )}
    </div>
  );
}
