//! The offer's one colour, made readable: contrast by the formula of WCAG 2.2, in light and in dark.

use std::sync::LazyLock;

use serde::Serialize;

/// The least contrast of text (WCAG 2.2, level AA).
pub(crate) const READABLE: f64 = 4.5;
/// The least contrast of a coloured area against the sheet in the dark, so that a button does not vanish.
const VISIBLE: f64 = 2.0;
/// The surfaces of the stylesheet on which coloured text stands (`--sheet`, `--page`, `--tint`).
const LIGHT_SURFACES: [Rgb; 3] = [Rgb(255, 255, 255), Rgb(0xf6, 0xf7, 0xf9), Rgb(0xee, 0xf3, 0xf9)];
const DARK_SURFACES: [Rgb; 3] = [Rgb(0x17, 0x1b, 0x21), Rgb(0x0f, 0x12, 0x16), Rgb(0x1b, 0x25, 0x30)];
const WHITE: Rgb = Rgb(255, 255, 255);
const BLACK: Rgb = Rgb(0, 0, 0);
/// A mix is tried in this many steps.
const STEPS: u16 = 32;
/// The light of each channel value: every page asks for dozens of them, and a power is dear.
static LIGHT: LazyLock<[f64; 256]> =
    LazyLock::new(|| std::array::from_fn(|value| light(u8::try_from(value).unwrap_or(u8::MAX))));

/// A colour of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rgb(pub(crate) u8, pub(crate) u8, pub(crate) u8);

/// The accent in both schemes, as CSS colours.
#[derive(Debug, Clone, Serialize)]
pub struct Accent {
    /// For light pages.
    pub light: Scheme,
    /// For dark pages.
    pub dark: Scheme,
}

/// The accent in one scheme.
#[derive(Debug, Clone, Serialize)]
pub struct Scheme {
    /// Areas: the head, buttons.
    pub accent: String,
    /// Text on such an area.
    pub on_accent: String,
    /// Text, links and marks in the offer's colour.
    pub ink: String,
}

impl Accent {
    /// Works the schemes out from `#rrggbb`; anything else is taken for a neutral grey-blue.
    #[must_use]
    pub fn of(hex: &str) -> Self {
        let colour = Rgb::from_hex(hex).unwrap_or(Rgb(0x33, 0x4a, 0x66));
        Self { light: scheme(colour, &LIGHT_SURFACES, BLACK), dark: scheme(colour, &DARK_SURFACES, WHITE) }
    }
}

fn scheme(colour: Rgb, surfaces: &[Rgb], toward: Rgb) -> Scheme {
    let area = colour.until(toward, |mixed| toward == BLACK || contrast(mixed, surfaces[0]) >= VISIBLE);
    let ink = colour.until(toward, |mixed| surfaces.iter().all(|surface| contrast(mixed, *surface) >= READABLE));
    // One of the two always reaches 4.58 on any colour.
    let on_accent = if contrast(WHITE, area) >= READABLE { WHITE } else { BLACK };
    Scheme { accent: area.css(), on_accent: on_accent.css(), ink: ink.css() }
}

impl Rgb {
    pub(crate) fn from_hex(hex: &str) -> Option<Self> {
        let digits = hex.strip_prefix('#').filter(|digits| digits.len() == 6)?;
        let channel = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
        Some(Self(channel(0)?, channel(2)?, channel(4)?))
    }

    fn css(self) -> String {
        format!("#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }

    /// The first mix with another colour that is good enough; that colour itself when none is.
    fn until(self, other: Self, good: impl Fn(Self) -> bool) -> Self {
        (0..STEPS).map(|step| self.mixed(other, step)).find(|mixed| good(*mixed)).unwrap_or(other)
    }

    fn mixed(self, other: Self, step: u16) -> Self {
        let channel = |mine: u8, theirs: u8| {
            let sum = u16::from(mine) * (STEPS - step) + u16::from(theirs) * step;
            u8::try_from(sum / STEPS).unwrap_or(u8::MAX)
        };
        Self(channel(self.0, other.0), channel(self.1, other.1), channel(self.2, other.2))
    }
}

/// The contrast ratio, 1 to 21.
#[expect(clippy::float_arithmetic, reason = "colours, not money")]
pub(crate) fn contrast(one: Rgb, other: Rgb) -> f64 {
    let (a, b) = (luminance(one), luminance(other));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[expect(clippy::float_arithmetic, reason = "colours, not money")]
fn luminance(colour: Rgb) -> f64 {
    let light = |channel: u8| LIGHT[usize::from(channel)];
    0.2126 * light(colour.0) + 0.7152 * light(colour.1) + 0.0722 * light(colour.2)
}

#[expect(clippy::float_arithmetic, reason = "colours, not money")]
fn light(channel: u8) -> f64 {
    let value = f64::from(channel) / 255.0;
    if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::templates::STYLESHEET;

    #[test]
    fn text_in_the_offers_colour_is_readable_in_both_schemes() {
        for hex in ["#0072c6", "#ffcc00", "#000000", "#ffffff", "#e3008c", "#7fba00", "#777777", "#f6f7f9", "#0f1216"] {
            let accent = Accent::of(hex);
            for (scheme, surfaces) in [(&accent.light, LIGHT_SURFACES), (&accent.dark, DARK_SURFACES)] {
                let rgb = |css: &str| Rgb::from_hex(css).unwrap();
                let on_area = contrast(rgb(&scheme.on_accent), rgb(&scheme.accent));
                assert!(on_area >= READABLE, "{hex}: {scheme:?} has {on_area} on the button");
                for surface in surfaces {
                    let ratio = contrast(rgb(&scheme.ink), surface);
                    assert!(ratio >= READABLE, "{hex}: {scheme:?} has {ratio} on {surface:?}");
                }
            }
        }
    }

    #[test]
    fn a_readable_colour_stays_as_it_is() {
        assert_eq!(Accent::of("#005a9e").light.ink, "#005a9e");
        assert_eq!(Accent::of("#0072c6").light.accent, "#0072c6");
    }

    /// The colours of the stylesheet itself, light and dark, on each of its surfaces.
    #[test]
    fn the_stylesheet_is_readable() {
        let (light, dark) = STYLESHEET.split_once("@media (prefers-color-scheme: dark)").unwrap();
        for (css, surfaces) in [(light, LIGHT_SURFACES), (dark, DARK_SURFACES)] {
            for token in ["ink", "soft", "good", "warn", "bad"] {
                let start = css.find(&format!("--{token}: #")).unwrap() + token.len() + 4;
                let colour = Rgb::from_hex(&css[start..start + 7]).unwrap();
                for surface in surfaces {
                    let ratio = contrast(colour, surface);
                    assert!(ratio >= READABLE, "--{token} has {ratio} on {surface:?}");
                }
            }
        }
    }
}
