-- Values as bytes that sort as the values do: the encoding of mapper/src/index/encode.rs, byte for byte. Integers are
-- decimal texts, because a number of Lua is exact only up to 2^53. `rows.lua` stands before it.

local LONGEST_TEXT = 1024

local ESCAPES = { ['\0'] = '\1\3', ['\1'] = '\1\4', ['\2'] = '\1\5' }

local function encode_text(text)
  return (string.gsub(text, '[%z\1\2]', ESCAPES))
end

-- Digits in reverse order of size.
local function flipped(digits)
  return (string.gsub(digits, '%d', function(digit) return 9 - digit end))
end

-- Returns the sign and the digits of an integer, or nil if the text is not one.
local function integer_parts(text)
  local sign, digits = string.match(text, '^(%-?)0*(%d+)$')
  if digits == '0' then sign = '' end
  return sign, digits
end

local function encode_integer(text)
  local sign, digits = integer_parts(text)
  local sized = string.format('%02d', #digits) .. digits
  if sign == '-' then return '4' .. flipped(sized) end
  return '6' .. sized
end

local function encode_float(number)
  if number == 0 then return '5' end
  if number == math.huge then return '7' end
  if number == -math.huge then return '3' end
  local mantissa, exponent = math.frexp(math.abs(number))
  local digits = string.format('%04d%016.0f', exponent + 1100, mantissa * 2 ^ 53)
  if number < 0 then return '4' .. flipped(digits) end
  return '6' .. digits
end

-- Returns the number that a decimal text stands for, or nil. Lua reads hexadecimal texts too.
local function float_of(text)
  local number = not string.find(text, '[xX]') and tonumber(text)
  return number and number == number and number or nil
end

-- Returns the shortest text that reads as the same number.
local function float_text(number)
  for precision = 15, 16 do
    local text = string.format('%.' .. precision .. 'g', number)
    if tonumber(text) == number then return text end
  end
  return string.format('%.17g', number)
end

-- The texts below are digits without a sign and without leading zeros.

local function is_less(left, right)
  if #left ~= #right then return #left < #right end
  return less(left, right)
end

-- Returns the digit of a text, counted from its end, or 0 before its start.
local function digit_of(text, from_end)
  -- A position below 1 would count from the end.
  return from_end < #text and string.byte(text, #text - from_end) - 48 or 0
end

-- Returns left + sign * right, where left is not less than right if the sign is -1.
local function combine(left, right, sign)
  local digits, carry = {}, 0
  for at = 0, math.max(#left, #right) - 1 do
    local sum = digit_of(left, at) + sign * digit_of(right, at) + carry
    carry = math.floor(sum / 10)
    digits[at + 1] = sum - 10 * carry
  end
  if carry > 0 then digits[#digits + 1] = carry end
  return string.match(string.reverse(table.concat(digits)), '^0*(%d+)$')
end

-- Returns the sum of two integers, or nil if one of the texts is not an integer.
local function add_integers(left, right)
  local left_sign, left_digits = integer_parts(left)
  local right_sign, right_digits = integer_parts(right)
  if not left_digits or not right_digits then return nil end
  -- Numbers of Lua are exact up to 2^53. The zero makes a zero of -0.
  if #left_digits < 16 and #right_digits < 16 then return string.format('%.0f', left + right + 0) end
  if left_sign == right_sign then return left_sign .. combine(left_digits, right_digits, 1) end
  if left_digits == right_digits then return '0' end
  if is_less(left_digits, right_digits) then
    left_sign, left_digits, right_digits = right_sign, right_digits, left_digits
  end
  return left_sign .. combine(left_digits, right_digits, -1)
end

-- Returns whether an integer is less than another.
local function is_less_integer(left, right)
  local left_sign, left_digits = integer_parts(left)
  local right_sign, right_digits = integer_parts(right)
  if left_sign ~= right_sign then return left_sign == '-' end
  if left_sign == '-' then return is_less(right_digits, left_digits) end
  return is_less(left_digits, right_digits)
end

